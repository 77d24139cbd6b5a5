#include "daemon/ctl_remedies.h"

namespace lsmtuned::daemon {

const char* remedy(model::Bound bound) {
  switch (bound) {
    case model::Bound::device:
      return "fewer bytes per user byte (larger write_buffer_size, higher L0 triggers with a "
             "max_bytes_for_level_base to match, compression), or a faster device";
    case model::Bound::wal_device:
      return "a faster device for the WAL, larger write batches, or no WAL";
    case model::Bound::limiter:
      return "a higher rate_limiter_bytes_per_second";
    case model::Bound::cpu:
      return "cheaper compression, more cores with max_background_jobs and max_subcompactions, "
             "fewer bytes per user byte";
    case model::Bound::slots:
      return "more max_background_jobs";
    case model::Bound::l0_lane:
      return "more max_subcompactions, or a smaller max_bytes_for_level_base";
    case model::Bound::flush:
      return "more max_background_jobs (a quarter of them flush)";
    case model::Bound::foreground:
      return "more writing threads or larger batches: the database is not the limit";
    case model::Bound::none:
      break;
  }
  return "";
}

}  // namespace lsmtuned::daemon
