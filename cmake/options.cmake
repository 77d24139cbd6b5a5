# Compiler flags shared by every target of the project, and the sanitizer switch.
set(LSMTUNED_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")

add_library(lsmtuned_options INTERFACE)
target_compile_features(lsmtuned_options INTERFACE cxx_std_20)
target_include_directories(lsmtuned_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(lsmtuned_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion
  -Wno-sign-conversion -Werror
  # g++ 12 reports false positives of these in std::variant and std::string.
  -Wno-maybe-uninitialized -Wno-restrict
  -g1)  # line tables only: builds are a third faster, stack traces stay readable
target_compile_definitions(lsmtuned_options INTERFACE LSMTUNED_VERSION="${PROJECT_VERSION}")
if(LSMTUNED_SANITIZE)
  target_compile_options(lsmtuned_options INTERFACE -fsanitize=${LSMTUNED_SANITIZE}
    -fno-omit-frame-pointer -O1)
  target_link_options(lsmtuned_options INTERFACE -fsanitize=${LSMTUNED_SANITIZE})
  # Checks on every pointer used: they double the time to compile, a null pointer ends in a report of
  # ASan's anyway, and x86 bears what is not aligned.
  target_compile_options(lsmtuned_options INTERFACE -fno-sanitize=null,alignment,vptr,object-size)
  # g++ 12 reports false positives of these under sanitizer instrumentation.
  target_compile_options(lsmtuned_options INTERFACE -Wno-tsan -Wno-stringop-overflow -Wno-array-bounds)
endif()

# lsmtuned_library(NAME sources...): a static library with the project's flags.
function(lsmtuned_library name)
  if(NOT ARGN)
    message(FATAL_ERROR "${name} has no sources")
  endif()
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC lsmtuned_options)
endfunction()

# lsmtuned_together(TARGET N): sources are compiled N at a time, for most of a small file's compilation is
# its headers: a fresh build has to fit into what CI allows. Two files of a batch cannot use the same
# name in their anonymous namespaces. Files with coroutines cannot be batched: g++ 12 refuses their
# frames; nor can those named after N.
function(lsmtuned_together target batch)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    file(STRINGS ${source} coroutines REGEX "co_(await|return|spawn)")
    cmake_path(GET source FILENAME name)
    if(coroutines OR name IN_LIST ARGN)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# lsmtuned_precompile(TARGET headers...): the heavy third-party headers of a target, parsed once. ccache
# needs CCACHE_SLOPPINESS=pch_defines,time_macros for it (./dev sets that).
function(lsmtuned_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()
set(lsmtuned_asio_headers <boost/json.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/local/stream_protocol.hpp> <boost/asio/post.hpp> <boost/asio/steady_timer.hpp>
  <boost/asio/use_awaitable.hpp> <map> <memory> <optional> <string> <vector>)

# lsmtuned_test(NAME [LABELS l...] SOURCES s... LIBRARIES l...): one GoogleTest program, one ctest entry.
# Labels: "fast" runs under ASan+UBSan too; "threads" runs under TSan, which has nothing to look at in
# programs of one thread; "integration" starts real processes; "root" needs root.
include(CMakeParseArguments)
add_custom_target(fast_tests)
add_custom_target(threads_tests)
function(lsmtuned_test name)
  cmake_parse_arguments(T "" "TIMEOUT;TOGETHER" "LABELS;SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  if(T_TOGETHER)
    lsmtuned_together(${name} ${T_TOGETHER})
  endif()
  target_link_libraries(${name} PRIVATE lsmtuned_options ${T_LIBRARIES} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT T_LABELS)
    set(T_LABELS fast)
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  # The longest begin first.
  set_tests_properties(${name} PROPERTIES COST ${T_TIMEOUT})
  foreach(label fast threads)
    if(label IN_LIST T_LABELS)
      add_dependencies(${label}_tests ${name})
    endif()
  endforeach()
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT})
endfunction()
