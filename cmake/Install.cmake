# `cmake --install BUILD --prefix P`, then find_package(semblance) and semblance::training; docs/examples shows it.
# The program's own rules are in apps/CMakeLists.txt.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/semblance)

# The libraries by the names that they have when installed: semblance::training brings the others.
set(libraries options base data models training)
foreach(library ${libraries})
  add_library(semblance::${library} ALIAS semblance_${library})
  set_target_properties(semblance_${library} PROPERTIES EXPORT_NAME ${library})
  install(TARGETS semblance_${library} EXPORT semblanceTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
install(EXPORT semblanceTargets NAMESPACE semblance:: DESTINATION ${package_dir})

# With their folders: an include reads "training/trainer.h" here and there.
install(DIRECTORY data models training DESTINATION ${SEMBLANCE_INSTALL_HEADERS}
  FILES_MATCHING PATTERN "*.h" PATTERN samples EXCLUDE)

configure_package_config_file(cmake/semblanceConfig.cmake.in ${PROJECT_BINARY_DIR}/semblanceConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/semblanceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/semblanceConfig.cmake
  ${PROJECT_BINARY_DIR}/semblanceConfigVersion.cmake
  cmake/LibTorch.cmake
  DESTINATION ${package_dir})

install(DIRECTORY apps/jobs DESTINATION ${CMAKE_INSTALL_DATADIR}/semblance COMPONENT program)
install(FILES README.md LICENSE THIRD_PARTY_NOTICES.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
