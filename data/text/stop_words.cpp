#include "data/text/stop_words.h"

#include "data/error.h"
#include "data/io/line_reader.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

// Single letters and clipped forms ("don", "ll") are what punctuation stripping leaves of contractions.
constexpr std::string_view kEnglish =
    "a about above after again against ain all am an and any are aren as at be because been before being "
    "below "
    "between both but by can couldn d did didn do does doesn doing don down during each few for from further "
    "had "
    "hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its "
    "itself just ll m ma me mightn more most mustn my myself needn no nor not now o of off on once only or "
    "other "
    "our ours ourselves out over own re s same shan she should shouldn so some such t than that the their "
    "theirs "
    "them themselves then there these they this those through to too under until up ve very was wasn we were "
    "weren what when where which while who whom why will with won would wouldn y you your yours yourself "
    "yourselves don't doesn't didn't isn't aren't wasn't weren't hasn't haven't hadn't won't wouldn't can't "
    "couldn't shouldn't it's i'm you're he's she's we're they're i've you've we've they've i'll you'll he'll "
    "she'll we'll they'll i'd you'd he'd she'd we'd they'd";

constexpr std::string_view kRussian =
    "а без более больше будет будто бы был была были было быть в вам вами вас ваш ваша ваше ваши вдруг ведь "
    "весь "
    "во вот все всего всех всю вся всё вы где да даже два для до другой его ее ей ему если есть еще ещё её ж "
    "же за "
    "зачем здесь и из или им ими иногда их к как какая какой когда конечно кто куда ли лишь лучше между меня "
    "мне "
    "много может можно мной мой моя моё мои мы на над надо наконец нам нами нас наш наша наше наши не него "
    "нее ней "
    "нельзя нет неё ни нибудь никогда ним ними них ничего но ну о об один он она они оно опять от перед по "
    "под "
    "после потом потому почти при про раз разве с сам само свою себе себя сейчас со совсем так такой там "
    "тебе тебя "
    "тем теперь то тобой тогда того тоже той только том тот три тут ты у уж уже хоть хорошо хотя чего чей "
    "чем через "
    "что чтоб чтобы чуть эта эти этим этих это этого этой этом этот эту я";

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

std::vector<std::string> built_in_stop_words(std::string_view language) {
  if (language == "en") return split_words(kEnglish);
  if (language == "ru") return split_words(kRussian);
  return {};
}

std::vector<std::string> read_stop_words(const std::string& path) {
  LineReader lines{ByteStream(path)};
  std::vector<std::string> words;
  for (std::string_view line; lines.next(line);) {
    if (!is_valid_utf8(line))
      throw Error(ErrorKind::Data,
                  "{}:{}: expected a stop word in UTF-8, found other bytes; convert the file", path,
                  lines.line_number());
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    words.emplace_back(line.substr(first, line.find_last_not_of(" \t") - first + 1));
  }
  return words;
}

}  // namespace semblance
