// Tells one boot of the machine from another.

import { readFileSync } from 'node:fs';

/** The kernel's random id of this boot, a UUID (`drivers/char/random.c`). Throws the error of node:fs without /proc. */
export function bootId(): string {
	return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
