// The gateway addresses of the containers, which are the bridge's own.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { IpConfig } from '../cni/result.ts';
import { formatIp } from '../ip/address.ts';
import { contains, networkOf, sameCidr } from '../ip/cidr.ts';
import { addAddress, type Address, listAddresses, removeAddress } from '../netlink/address.ts';
import type { Connection } from '../netlink/connection.ts';
import { requireCidr } from '../netlink/address-family.ts';
import { type Link, listPorts } from '../netlink/link.ts';
import { tolerating } from '../netlink/netlink-error.ts';
import type { Undo } from './undo.ts';

/** Addresses with their gateways: where the IPAM plugin names none, it is the first of a subnet that has room for one. */
export function withGateways(addresses: readonly IpConfig[]): IpConfig[] {
	return addresses.map((address) => {
		const gateway = address.gateway ?? firstAddress(address.address);
		return gateway === undefined ? address : { ...address, gateway };
	});
}

/** The gateways of some addresses as the bridge has them, in CIDR form, each once. */
export function gatewayCidrs(addresses: readonly IpConfig[]): string[] {
	const known = addresses.filter(({ gateway }) => gateway !== undefined);
	return [...new Set(known.map(({ address, gateway }) => `${gateway}/${requireCidr(address).prefix}`))];
}

function firstAddress(cidr: string): string | undefined {
	const { ip, prefix } = requireCidr(cidr);
	if (prefix > ip.length * 8 - 2) return undefined;
	const first = networkOf({ ip, prefix });
	const last = first.length - 1;
	first[last] = (first[last] ?? 0) + 1;
	return formatIp(first);
}

/**
 * Gives an interface of the host, the bridge or its interface in a VLAN, the gateway addresses. Throws CniError 7 when it
 * has another IPv4 address, or an IPv6 address that overlaps, unless `forceAddress`, which replaces it.
 */
export function ensureGateways(
	host: Connection,
	bridge: Link,
	link: Link,
	gateways: readonly string[],
	forceAddress: boolean,
	undo: Undo,
): void {
	if (gateways.length === 0) return;
	const present = listAddresses(host, link).filter((address) => !address.linkLocal);
	for (const gateway of gateways) {
		if (present.some(({ cidr }) => sameCidr(cidr, gateway))) continue;
		for (const other of present) {
			if (gateways.some((each) => sameCidr(each, other.cidr)) || !excludes(other, gateway)) continue;
			if (!forceAddress) throw conflict(link, gateway, other);
			tolerating(['EADDRNOTAVAIL'], () => host.execute(removeAddress(link, other.cidr)));
		}
		const added = tolerating(['EEXIST'], () => host.execute(addAddress(link, gateway)));
		if (added) undo(`address ${gateway} of "${link.name}"`, () => removeUnusedGateway(host, bridge, link, gateway));
	}
}

function conflict(link: Link, gateway: string, other: Address): CniError {
	return new CniError(
		CniErrorCode.invalidConfiguration,
		`giving "${link.name}" the gateway address ${gateway}: it already has ${other.cidr}; set forceAddress to replace that, or delete "${link.name}"`,
	);
}

/** Another container may have come meanwhile, and need it. */
function removeUnusedGateway(host: Connection, bridge: Link, link: Link, gateway: string): void {
	if (listPorts(host, bridge).length > 0) return;
	tolerating(['EADDRNOTAVAIL', 'ENODEV'], () => host.execute(removeAddress(link, gateway)));
}

/** As in the reference bridge: one IPv4 address a bridge, and IPv6 addresses that do not overlap. */
function excludes(present: Address, wanted: string): boolean {
	const [one, other] = [requireCidr(present.cidr), requireCidr(wanted)];
	if (one.ip.length !== other.ip.length) return false;
	return present.family === 4 || contains(one, other.ip) || contains(other, one.ip);
}
