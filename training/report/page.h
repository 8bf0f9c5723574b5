// A report as one page of HTML that needs nothing beside itself.
#pragma once

#include <string>
#include <string_view>

#include "data/config.h"

namespace semblance {

/// The page of what report_content gathered; `version` is the program's. All numbers are in its tables, so
/// that they are there without scripts too; figures are drawn of the same JSON, which the page holds.
std::string report_page(const Json& content, std::string_view version);

}  // namespace semblance
