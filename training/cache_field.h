// The option --cache, of trainings on texts.
#pragma once

#include "data/fields.h"

namespace semblance {

inline constexpr Field kCacheField{
    .help =
        "keep the encoded texts in this folder, and find them there again: memory is then bounded whatever "
        "the files' size, and another training on them starts at once; the model is the same",
    .hint = "DIR"};

}  // namespace semblance
