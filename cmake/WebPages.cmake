# conciergus_embed_pages(<target> <dist>)
#
# Compiles the built web pages in <dist> into <target>, or with CONCIERGUS_EMBED_WEB=OFF one page that
# says how to build them: for work on the C++ alone.
option(CONCIERGUS_EMBED_WEB "Embed the web pages, which npm has to build first" ON)

function(conciergus_embed_pages target dist)
  if(NOT CONCIERGUS_EMBED_WEB)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/no_pages.cpp)
    return()
  endif()
  if(NOT EXISTS ${dist}/index.html)
    message(FATAL_ERROR "The web pages are not built: run script/build, or "
                        "`npm ci --prefix web && npm run build --prefix web`. "
                        "Without them: -DCONCIERGUS_EMBED_WEB=OFF")
  endif()
  find_program(NODE node REQUIRED)
  file(GLOB_RECURSE pages CONFIGURE_DEPENDS ${dist}/*)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_pages.cpp)
  set(tool ${CMAKE_SOURCE_DIR}/web/embed.mjs)
  add_custom_command(OUTPUT ${source}
                     COMMAND ${NODE} ${tool} ${dist} ${source}
                     DEPENDS ${pages} ${tool}
                     COMMENT "Embedding the web pages")
  target_sources(${target} PRIVATE ${source})
endfunction()
