// How long the machine has been up, by a clock that nobody can set.

import { readText } from './files.ts';

/** Seconds since the boot, sleep included: CLOCK_BOOTTIME (`fs/proc/uptime.c`). Throws SystemCallError without /proc. */
export function uptime(): number {
	return Number.parseFloat(readText('/proc/uptime'));
}
