// What report's pages hold whatever the run: made by cmake/ReportAssets.cmake of the files beside this one.
#pragma once

namespace semblance::report_assets {

extern const char* const kStyle;        ///< page.css, and uPlot's
extern const char* const kChartScript;  ///< uPlot
extern const char* const kScript;       ///< page.js
/// base64 of their SHA-256.
extern const char *const kStyleHash, *const kChartScriptHash, *const kScriptHash;

}  // namespace semblance::report_assets
