// Which addresses of the bridge cannot stay when it becomes the gateway of others.

import { formatIp, isLinkLocal } from '../ip/address.ts';
import { type Cidr, contains, firstOf, sameCidr, sameNetwork } from '../ip/cidr.ts';
import type { RoutedAddress } from '../ipam/routed.ts';
import type { Address } from '../netlink/address.ts';
import { requireCidr } from '../netlink/address-family.ts';
import { listRoutes, RTPROT_STATIC } from '../netlink/route.ts';
import type { HostSide } from './host-side.ts';

/**
 * Whether an interface cannot have a gateway address beside one that it has. As in the reference bridge, it has one IPv4
 * address, and IPv6 addresses that do not overlap. The gateway of routed addresses, which has no subnet, stands beside any
 * address that is not in theirs, since each of these may be a container's.
 */
export function excludes(
	{ host, link }: HostSide,
	present: Address,
	wanted: string,
	routed: readonly RoutedAddress[],
): boolean {
	const [one, other] = [requireCidr(present.cidr), requireCidr(wanted)];
	if (one.ip.length !== other.ip.length) return false;
	if (isOnLink(other)) return !isOnLink(one) && routed.some(({ subnet }) => overlap(one, requireCidr(subnet)));
	if (!present.linkLocal) return present.family === 4 || overlap(one, other);
	return (
		isOnLinkGateway(present) && listRoutes(host, link, RTPROT_STATIC).some(({ dst }) => sameNetwork(dst, wanted))
	);
}

/** Whether an address that excludes another is the gateway that the same containers have with the other `addressing`. */
export function isOfOtherAddressing(present: Address, routed: readonly RoutedAddress[]): boolean {
	if (isOnLinkGateway(present)) return true;
	return routed.some(({ subnet }) => {
		const first = firstOf(requireCidr(subnet));
		return first !== undefined && sameCidr(present.cidr, `${formatIp(first)}/${requireCidr(subnet).prefix}`);
	});
}

/** Whether there is nobody else in the subnet of an address. */
function isOnLink({ ip, prefix }: Cidr): boolean {
	return prefix === ip.length * 8 || isLinkLocal(ip);
}

/** Whether it is what routed addresses have as their gateway; not what the kernel, or avahi, gives a link. */
function isOnLinkGateway({ cidr, linkLocal }: Address): boolean {
	return linkLocal && (cidr.endsWith('/32') || sameCidr(cidr, 'fe80::1/64'));
}

function overlap(one: Cidr, other: Cidr): boolean {
	return one.ip.length === other.ip.length && (contains(one, other.ip) || contains(other, one.ip));
}
