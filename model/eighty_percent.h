// Half the width of a two-sided 80 % interval of a normal distribution, in standard deviations.
#pragma once

namespace lsmtuned::model {

inline constexpr double kEightyPercent = 1.2816;

}  // namespace lsmtuned::model
