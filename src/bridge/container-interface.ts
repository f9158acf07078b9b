// The container's end: its addresses and routes, set and read back.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { addressesPerFamily, type IpConfig, type Route } from '../cni/result.ts';
import type { NetworkNamespace } from '../linux/network-namespace.ts';
import { waitUntil } from '../linux/pause.ts';
import { ensureSysctl, hasSysctl } from '../linux/sysctl.ts';
import { addAddress, type Address, listAddresses } from '../netlink/address.ts';
import type { Connection } from '../netlink/connection.ts';
import { changeLink, type Link } from '../netlink/link.ts';
import type { Request } from '../netlink/message.ts';
import { addRoute, listRoutes, RTPROT_STATIC } from '../netlink/route.ts';
import { findCidr } from './gateway.ts';
import { findRoute } from './routes.ts';

/** A container, by its namespace and a connection that was opened inside of it. */
export interface Container {
	readonly namespace: NetworkNamespace;
	readonly connection: Connection;
}

/** Sets addresses and routes and brings the interface up, in one datagram to the kernel. Throws NetlinkError. */
export function configureContainer(
	{ namespace, connection }: Container,
	link: Link,
	addresses: readonly IpConfig[],
	routes: readonly Route[],
	{ enabledad, throughHost }: { readonly enabledad: boolean; readonly throughHost: boolean },
): void {
	const hasIpv6 = addressesPerFamily(addresses)[6] > 0;
	if (hasIpv6) namespace.run(() => prepareIpv6(link.name, enabledad));
	if (throughHost) namespace.run(() => ignoreRedirects(link.name, hasIpv6));
	// Addresses before up: so the first packet that leaves has one, and none waits.
	const requests: Request[] = [];
	for (const { address } of addresses) requests.push(addAddress(link, address, enabledad));
	requests.push(changeLink(link, { up: true }));
	for (const route of routes) requests.push(addRoute(link, route));
	connection.execute(...requests);
}

function prepareIpv6(name: string, enabledad: boolean): void {
	const parameters = `ipv6/conf/${name}`;
	if (!hasSysctl(parameters)) {
		throw new CniError(
			CniErrorCode.kernelRefused,
			`preparing "${name}" for IPv6: this kernel has no IPv6, or it is disabled`,
		);
	}
	// Container runtimes like to turn IPv6 off; who configures an IPv6 subnet wants it on.
	ensureSysctl(`${parameters}/disable_ipv6`, '0');
	ensureSysctl(`${parameters}/keep_addr_on_down`, '1');
	if (!enabledad) return;
	ensureSysctl(`${parameters}/enhanced_dad`, '1');
	ensureSysctl(`${parameters}/accept_dad`, '1');
}

/**
 * The host, through which routed containers reach each other, and those with a policy, tells them of the way without it.
 * Each that takes it has a neighbour entry for each other, and the kernel has room for 1024 in all containers together
 * (gc_thresh3); a firewall that follows connections would see only a part of them.
 * Documentation/networking/ip-sysctl.rst
 */
function ignoreRedirects(name: string, hasIpv6: boolean): void {
	ensureSysctl('ipv4/conf/all/accept_redirects', '0');
	ensureSysctl(`ipv4/conf/${name}/accept_redirects`, '0');
	if (hasIpv6) ensureSysctl(`ipv6/conf/${name}/accept_redirects`, '0');
}

/**
 * Waits until duplicate address detection has found none. Throws CniError 102 for an address that another machine
 * has, 11 when it does not come to an end before the deadline.
 */
export function awaitDuplicateDetection(connection: Connection, link: Link, deadline: number): void {
	let addresses: Address[] = [];
	const settled = waitUntil(deadline, () => {
		addresses = listAddresses(connection, link).filter((address) => !address.linkLocal);
		return addresses.every(({ tentative, duplicate }) => !tentative || duplicate);
	});
	const duplicate = addresses.find((address) => address.duplicate);
	if (duplicate !== undefined) {
		throw new CniError(
			CniErrorCode.addressTaken,
			`giving "${link.name}" the address ${duplicate.cidr}: another machine of the network has it (duplicate address detection)`,
		);
	}
	if (!settled) {
		throw new CniError(
			CniErrorCode.tryAgainLater,
			`waiting for duplicate address detection of "${link.name}": not over before the deadline; raise timeout, or leave enabledad out`,
		);
	}
}

/** The addresses as the kernel has them. Throws CniError 100 when one is missing. */
export function readAddresses(connection: Connection, link: Link, wanted: readonly IpConfig[]): IpConfig[] {
	const present = wanted.length === 0 ? [] : listAddresses(connection, link);
	const found: IpConfig[] = [];
	for (const ip of wanted) {
		const address = findCidr(present, ip.address) ?? missing(`address ${ip.address}`, link);
		found.push({ ...ip, address: address.cidr });
	}
	return found;
}

/** The routes as the kernel has them. Throws CniError 100 when one is missing. */
export function readRoutes(connection: Connection, link: Link, wanted: readonly Route[]): Route[] {
	const present = wanted.length === 0 ? [] : listRoutes(connection, link, RTPROT_STATIC);
	const found: Route[] = [];
	for (const route of wanted) found.push(findRoute(present, route) ?? missing(`route ${route.dst}`, link));
	return found;
}

function missing(what: string, { name }: Link): never {
	throw new CniError(CniErrorCode.kernelRefused, `reading back ${what} of "${name}": gone right after it was set`);
}
