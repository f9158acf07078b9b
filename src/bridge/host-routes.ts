// The host's routes to containers whose addresses have no subnet: one for all that may be on the bridge.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { sameNetwork } from '../ip/cidr.ts';
import type { RoutedAddress } from '../ipam/routed.ts';
import type { Connection } from '../netlink/connection.ts';
import { findLink, type Link } from '../netlink/link.ts';
import { tolerating } from '../netlink/netlink-error.ts';
import { addSubnetRoute, findWay, listRoutes, removeSubnetRoute } from '../netlink/route.ts';
import type { HostSide } from './host-side.ts';
import type { Undo } from './undo.ts';

/**
 * Routes the subnets of addresses to an interface of the host, which shows itself there by its gateway address. Throws
 * CniError 100 when a subnet is routed elsewhere.
 */
export function ensureHostRoutes(
	{ host, link, isShared }: HostSide,
	routed: readonly RoutedAddress[],
	undo: Undo,
): void {
	for (const { address, subnet, gateway } of routed) {
		if (findWay(host, address) === link.index) continue;
		const added = tolerating(['EEXIST'], () => host.execute(addSubnetRoute(link, subnet, gateway)));
		if (added) {
			undo(`route ${subnet} through "${link.name}"`, () => {
				if (isShared()) return;
				tolerating(['ESRCH', 'ENODEV'], () => host.execute(removeSubnetRoute(link, subnet)));
			});
		} else if (!listRoutes(host, link).some(({ dst }) => sameNetwork(dst, subnet))) {
			throw elsewhere(host, link, subnet, address);
		}
	}
}

function elsewhere(host: Connection, link: Link, subnet: string, address: string): CniError {
	const way = findWay(host, address);
	const other = way === undefined ? undefined : findLink(host, way)?.name;
	return new CniError(
		CniErrorCode.kernelRefused,
		`routing ${subnet} to "${link.name}": the host has another route to it${other === undefined ? '' : `, through "${other}"`}; remove that`,
	);
}

/** The subnets of addresses for which the host would not send to the interface. */
export function unroutedSubnets(host: Connection, link: Link, routed: readonly RoutedAddress[]): string[] {
	const missing = routed.filter(({ address }) => findWay(host, address) !== link.index);
	return [...new Set(missing.map(({ subnet }) => subnet))];
}
