// SPDX-License-Identifier: Apache-2.0
#ifndef FODC_UNLINKED_FILE_H
#define FODC_UNLINKED_FILE_H

// A file without a name, for reading and writing, mode 0600, close-on-exec: gone when its last descriptor is. Both return
// -1 and set errno on failure.

/// O_TMPFILE, which not every file system has.
int fodc_unlinked_file_open(const char *folder);

/// mkostemp and unlink at once. The name is there for a moment.
int fodc_unlinked_file_open_by_name(const char *folder);

#endif
