// Whether a network device exists, seen without netlink.

import { SystemCallError } from './errno.ts';
import { statusOf } from './files.ts';

/**
 * The kernel shows here the devices of the namespace of the thread that looks (net_ctl_header_lookup in
 * net/sysctl_net.c), unlike /sys, which shows those of the namespace in which it was mounted. A device has its place from
 * its registration to its end, unless its MTU is below 68 (net/ipv4/devinet.c).
 */
const DEVICES = '/proc/sys/net/ipv4/conf';

/** include/uapi/asm-generic/errno-base.h */
const ENOENT = 2;

/** Whether the network namespace of this thread has a device of that name. Throws SystemCallError when that is not to be seen. */
export function deviceExists(name: string): boolean {
	if (statusOf(`${DEVICES}/${name}`) !== undefined) return true;
	if (statusOf(`${DEVICES}/all`) !== undefined) return false;
	throw new SystemCallError(`looking at "${DEVICES}"`, ENOENT);
}
