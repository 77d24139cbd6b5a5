// From RocksDB's write-batch bytes to user bytes (key + value).
//
// Source: RocksDB's WriteBatch format: a 12-byte header a batch, and per Put one tag byte plus two
// length varints (and a family varint outside the default family). `bytes.written` counts one
// header a write *group*: batches that join a group are appended without theirs. With records
// counted by `number.keys.written`, user bytes are
//   batch_bytes - 12 * groups - keys * (1 + varint(key) + varint(value)).
// The key length is unknown from outside; one byte is right up to 127 bytes.
#pragma once

namespace lsmtuned::model {

// `writes` is the number of headers counted: write groups, i.e. user_writes_by_self; when unknown
// pass keys. Result is clamped to [0, batch_bytes]. All arguments are cumulative or delta alike.
double user_bytes_from_batch_bytes(double batch_bytes, double keys, double writes);

}  // namespace lsmtuned::model
