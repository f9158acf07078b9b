// Tells one boot of the machine from another.

import { readText } from './files.ts';

/** The kernel's random id of this boot, a UUID (`drivers/char/random.c`). Throws SystemCallError without /proc. */
export function bootId(): string {
	return readText('/proc/sys/kernel/random/boot_id').trim();
}
