// Waits until IPv6 neighbours find an address: the kernel has it at once, but listens for them a little later.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { waitUntil } from '../linux/pause.ts';
import type { Connection } from '../netlink/connection.ts';
import type { Link } from '../netlink/link.ts';
import { listMulticastGroups, solicitedNodeGroup } from '../netlink/multicast.ts';

/**
 * Waits until an interface listens for solicitations of its IPv6 addresses, given in CIDR form among others. A worker of
 * the kernel joins the groups (addrconf_dad_work in net/ipv6/addrconf.c), even without duplicate address detection; a
 * neighbour that asks before that asks again only after a second. Throws CniError 11 at the deadline.
 */
export function awaitDiscoverable(
	connection: Connection,
	link: Link,
	addresses: readonly string[],
	deadline: number,
): void {
	const groups: string[] = [];
	for (const address of addresses) {
		if (address.includes(':')) groups.push(solicitedNodeGroup(address.slice(0, address.indexOf('/'))));
	}
	if (groups.length === 0) return;
	const listens = waitUntil(deadline, () => {
		const joined = listMulticastGroups(connection, link);
		return groups.every((group) => joined.includes(group));
	});
	if (listens) return;
	throw new CniError(
		CniErrorCode.tryAgainLater,
		`waiting for "${link.name}" to listen for its neighbours (${groups.join(', ')}): it did not before the deadline`,
	);
}
