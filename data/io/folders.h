// Folders and the names in them, where nothing may be lost. All of it throws Error(Model) that names the path
// and the system's reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace semblance {

enum class PathKind { Nothing, File, Folder, Other };

/// What a path leads to, links followed; a file that cannot be looked at is an error and not nothing.
PathKind kind_of(const std::filesystem::path& path);
bool is_file(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

/// The paths in a folder, in the order of their names; none where there is no folder.
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder);

/// Makes a folder and its parents where they are missing.
void make_folder(const std::filesystem::path& folder);

void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);

/// Removes what is no folder; what is gone is no error.
void remove_file(const std::filesystem::path& path);
/// Removes a file, or a folder with all that is in it; links are not followed, and what is gone is no error.
void remove_path(const std::filesystem::path& path);

/// Makes renames within `folder` durable, as far as its file system offers that.
void flush_folder(const std::filesystem::path& folder);

}  // namespace semblance
