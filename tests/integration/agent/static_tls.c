/* Takes eight bytes of every thread's static block. Loaded many times, under many names, it leaves
 * nothing of what the C library keeps there for libraries loaded at run time. */
__thread long lsmtuned_test_static_tls __attribute__((tls_model("initial-exec")));

long lsmtuned_test_use_static_tls(void) {
  return lsmtuned_test_static_tls;
}
