// Lets the host route between the containers and the world.

import { toCniError } from '../cni/errors.ts';
import { familyOf } from '../ip/address.ts';
import { listDirectory } from '../linux/files.ts';
import { note } from '../linux/standard-error.ts';
import { ensureSysctl, readSysctl } from '../linux/sysctl.ts';

const PARAMETERS = { 4: 'ipv4/ip_forward', 6: 'ipv6/conf/all/forwarding' } as const;

/** Turns forwarding on for the families of some addresses, and leaves it on, since other networks need it, too. */
export function ensureForwarding(addresses: readonly string[]): void {
	const families = new Set<4 | 6>();
	for (const address of addresses) families.add(familyOf(address));
	for (const family of families) {
		if (isForwarding(family)) continue;
		if (family === 6) keepRouterAdvertisements();
		ensureSysctl(PARAMETERS[family], '1');
	}
}

/** Whether the host forwards packets of a family. */
export function isForwarding(family: 4 | 6): boolean {
	return readSysctl(PARAMETERS[family]) === '1';
}

/**
 * A host that forwards IPv6 stops listening to routers, and loses the default route that they gave it, unless
 * `accept_ra` is 2 (Documentation/networking/ip-sysctl.rst).
 */
function keepRouterAdvertisements(): void {
	for (const link of listDirectory('/proc/sys/net/ipv6/conf')) {
		if (link === 'all' || link === 'default' || link === 'lo') continue;
		try {
			if (readSysctl(`ipv6/conf/${link}/accept_ra`) === '1') ensureSysctl(`ipv6/conf/${link}/accept_ra`, '2');
		} catch (error) {
			// A link that has gone meanwhile, as those of containers do.
			note(`keeping the router advertisements of "${link}": ${toCniError(error).message}`);
		}
	}
}
