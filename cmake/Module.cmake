# conciergus_module(<name> [DEPENDS <module>...] [LIBRARIES <target>...] [PRIVATE_LIBRARIES <target>...])
#
# Declares conciergus::<name> from the sources of the current folder. DEPENDS names the modules it may
# include and LIBRARIES the third parties: together they are the table of docs/architecture.md. Files that
# end in _test.cpp become the program <name>_test (label unit), with <name>/testing headers in reach.
function(conciergus_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  list(TRANSFORM ARG_DEPENDS PREPEND conciergus::)
  if(sources)
    add_library(conciergus_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(conciergus_${name} PRIVATE ${ARG_PRIVATE_LIBRARIES})
  else()
    add_library(conciergus_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(conciergus::${name} ALIAS conciergus_${name})
  target_include_directories(conciergus_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(conciergus_${name} ${scope} ${ARG_DEPENDS} ${ARG_LIBRARIES})

  if(CONCIERGUS_BUILD_TESTS AND tests)
    conciergus_test(${name}_test LABEL unit SOURCES ${tests} LIBRARIES conciergus::${name}
                    ${ARG_PRIVATE_LIBRARIES})
  endif()
endfunction()

# conciergus_test(<program> LABEL <unit|integration|e2e|chaos> SOURCES ... [LIBRARIES ...])
function(conciergus_test program)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${program} ${ARG_SOURCES})
  target_link_libraries(${program} PRIVATE ${ARG_LIBRARIES} conciergus::test_support GTest::gmock_main)
  gtest_discover_tests(${program} PROPERTIES LABELS ${ARG_LABEL} DISCOVERY_TIMEOUT 60)
endfunction()
