// The networks that this host is in.

import { listAllAddresses } from '../netlink/address.ts';
import { findLink } from '../netlink/link.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import type { UsedSubnet } from '../overlay/configuration-rules.ts';
import { subnetOf } from '../overlay/subnet-text.ts';
import { VTEP } from '../overlay/vtep.ts';

/** Milliseconds. */
const TIME_LIMIT = 5000;

/**
 * The subnets of this host's addresses, but for those on devices that exist for the virtual networks. By netlink, since
 * os.networkInterfaces() leaves out what is not up, such as Docker's bridge before its first container. Throws NetlinkError.
 */
export function hostNetworks(): UsedSubnet[] {
	const connection = openConnection(NETLINK_ROUTE, performance.now() + TIME_LIMIT);
	try {
		return listAllAddresses(connection).flatMap(({ link, cidr }) => {
			const device = findLink(connection, link)?.name;
			return device === undefined || isOurs(device)
				? []
				: [{ subnet: subnetOf(cidr), user: `${device} of this host` }];
		});
	} finally {
		connection.close();
	}
}

/** Whether a device is a network's bridge or the VTEP. */
function isOurs(device: string): boolean {
	return /^[md]-/.test(device) || device === VTEP.name;
}
