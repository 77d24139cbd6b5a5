# Run by `cmake --install` and cpack; needs source, work, relative_bindir, relative_libdir and
# relative_docdir. Under the prefix /usr the configuration belongs in /etc, elsewhere beneath the
# prefix.
set(prefix "${CMAKE_INSTALL_PREFIX}")
if(prefix STREQUAL "/usr")
  set(sysconfdir /etc)
else()
  set(sysconfdir "${prefix}/etc")
endif()
set(bindir "${prefix}/${relative_bindir}")
set(libdir "${prefix}/${relative_libdir}")
set(docdir "${prefix}/${relative_docdir}")

configure_file("${source}/lsmtuned.service.in" "${work}/lsmtuned.service" @ONLY)
configure_file("${source}/examples/attach-database.conf.in" "${work}/attach-database.conf" @ONLY)
configure_file("${source}/lsmtuned.sysusers.conf" "${work}/sysusers.d/lsmtuned.conf" COPYONLY)
configure_file("${source}/lsmtuned.tmpfiles.conf" "${work}/tmpfiles.d/lsmtuned.conf" COPYONLY)

# file(INSTALL) heeds DESTDIR.
file(INSTALL "${work}/lsmtuned.service" DESTINATION "${prefix}/lib/systemd/system")
file(INSTALL "${work}/sysusers.d/lsmtuned.conf" DESTINATION "${prefix}/lib/sysusers.d")
file(INSTALL "${work}/tmpfiles.d/lsmtuned.conf" DESTINATION "${prefix}/lib/tmpfiles.d")
file(INSTALL "${work}/attach-database.conf" "${source}/examples/embedded-target.conf"
  DESTINATION "${docdir}/examples")
file(INSTALL "${source}/../docs/" DESTINATION "${docdir}" FILES_MATCHING PATTERN "*.md"
  PATTERN "examples/*.json")

# An operator's file is never overwritten by an update: the new one is laid beside it.
set(example "${source}/lsmtuned.toml")
set(installed "${sysconfdir}/lsmtuned/lsmtuned.toml")
set(keep FALSE)
if(EXISTS "$ENV{DESTDIR}${installed}")
  file(SHA256 "$ENV{DESTDIR}${installed}" present)
  file(SHA256 "${example}" wanted)
  if(NOT present STREQUAL wanted)
    set(keep TRUE)
  endif()
endif()
if(keep)
  file(INSTALL "${example}" DESTINATION "${sysconfdir}/lsmtuned" RENAME lsmtuned.toml.new)
else()
  file(INSTALL "${example}" DESTINATION "${sysconfdir}/lsmtuned")
endif()
