// The gateway addresses of the containers, which are the bridge's own.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { IpConfig } from '../cni/result.ts';
import { formatIp, isLinkLocal } from '../ip/address.ts';
import { firstOf, networkOf, sameCidr } from '../ip/cidr.ts';
import type { RoutedAddress } from '../ipam/routed.ts';
import { addAddress, type Address, listAddresses, removeAddress } from '../netlink/address.ts';
import { requireCidr, requireIp } from '../netlink/address-family.ts';
import type { Link } from '../netlink/link.ts';
import { tolerating } from '../netlink/netlink-error.ts';
import { removeSubnetRoute } from '../netlink/route.ts';
import { excludes, isOfOtherAddressing } from './gateway-conflict.ts';
import type { HostSide } from './host-side.ts';
import type { Undo } from './undo.ts';

/** The prefix length of a link-local IPv6 address, whatever that of the containers' is. RFC 4291 §2.5.6 */
const LINK_LOCAL_PREFIX = 64;

/** Addresses with their gateways: where the IPAM plugin names none, it is the first of a subnet that has room for one. */
export function withGateways(addresses: readonly IpConfig[]): IpConfig[] {
	const completed: IpConfig[] = [];
	for (const address of addresses) {
		const first = address.gateway === undefined ? firstOf(requireCidr(address.address)) : undefined;
		const gateway = address.gateway ?? (first && formatIp(first));
		completed.push(gateway === undefined ? address : { ...address, gateway });
	}
	return completed;
}

/** The address among those of an interface that is a wanted one, however written. */
export function findCidr(present: readonly Address[], wanted: string): Address | undefined {
	for (const address of present) if (sameCidr(address.cidr, wanted)) return address;
	return undefined;
}

/** The gateways of some addresses as the bridge has them, in CIDR form, each once. */
export function gatewayCidrs(addresses: readonly IpConfig[]): string[] {
	const cidrs = new Set<string>();
	for (const { address, gateway } of addresses) {
		if (gateway === undefined) continue;
		const isOnAnyLink = gateway.includes(':') && isLinkLocal(requireIp(gateway));
		cidrs.add(`${gateway}/${isOnAnyLink ? LINK_LOCAL_PREFIX : requireCidr(address).prefix}`);
	}
	return [...cidrs];
}

/**
 * Gives an interface of the host the gateway addresses. Throws CniError 7 when it has an address that excludes one of them,
 * unless `forceAddress`, which replaces it. What is left of the other addressing is replaced as soon as nobody uses it.
 */
export function ensureGateways(
	side: HostSide,
	gateways: readonly string[],
	routed: readonly RoutedAddress[],
	forceAddress: boolean,
	undo: Undo,
): void {
	if (gateways.length === 0) return;
	const { host, link, isShared } = side;
	const present = listAddresses(host, link);
	for (const gateway of gateways) {
		if (findCidr(present, gateway) !== undefined) continue;
		for (const other of present) {
			if (gateways.some((each) => sameCidr(each, other.cidr)) || !excludes(side, other, gateway, routed))
				continue;
			const isFree = forceAddress || (isOfOtherAddressing(other, routed) && !isShared());
			if (!isFree) throw conflict(link, gateway, other);
			withdraw(side, other, gateway);
		}
		const added = tolerating(['EEXIST'], () => host.execute(addAddress(link, gateway)));
		if (!added) continue;
		undo(`address ${gateway} of "${link.name}"`, () => {
			if (isShared()) return;
			tolerating(['EADDRNOTAVAIL', 'ENODEV'], () => host.execute(removeAddress(link, gateway)));
		});
	}
}

function conflict(link: Link, gateway: string, other: Address): CniError {
	return new CniError(
		CniErrorCode.invalidConfiguration,
		`giving "${link.name}" the gateway address ${gateway}: it already has ${other.cidr}; set forceAddress to replace that, or delete "${link.name}"`,
	);
}

/** Takes away an address, and what went with it: the kernel forgets an IPv4 route with its source, not one of IPv6. */
function withdraw({ host, link }: HostSide, { cidr }: Address, wanted: string): void {
	tolerating(['EADDRNOTAVAIL'], () => host.execute(removeAddress(link, cidr)));
	const { ip, prefix } = requireCidr(wanted);
	const subnet = `${formatIp(networkOf({ ip, prefix }))}/${prefix}`;
	tolerating(['ESRCH'], () => host.execute(removeSubnetRoute(link, subnet)));
}
