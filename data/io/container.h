// Files that hold other files or are no text at all, known by their first bytes.
#pragma once

#include <string>
#include <string_view>

namespace semblance {

/// Whether more bytes may yet make `head`, the first ones of an input, the start of a container.
bool may_become_container(std::string_view head);

/// Throws Error(Data) that names the kind of container that begins with `head` and what to do about it.
/// `file` is for the message. Does nothing where it is none.
void refuse_container(std::string_view head, const std::string& file);

}  // namespace semblance
