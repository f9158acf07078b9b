// DEL: the attachment is gone afterwards, whatever was left of it, and however often it is called.

import type { Request } from '../cni/request.ts';
import { LeaseError } from '../ipam/lease-error.ts';
import { holdAttachment } from '../ipam/plugin.ts';
import { hostInterfaceName } from '../linux/host-interface-name.ts';
import { NamespaceError, openNetworkNamespace } from '../linux/network-namespace.ts';
import { detachNat } from '../nat/attach.ts';
import type { Connection } from '../netlink/connection.ts';
import { deleteLink, findLink, type Link } from '../netlink/link.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import { addressManager, OUR_IPAM } from './address-manager.ts';
import { removeIfb } from './bandwidth.ts';
import { bridgeNameOf, isDeviceName } from './configuration.ts';
import { attempts } from './failures.ts';
import { answerNoMore } from './isolation.ts';
import { belongsToAnotherNetwork, hostInterfaceAlias, isOurs } from './names.ts';
import { natDirectoryForDel } from './nat.ts';

/**
 * Detaches the container. Goes on after a failure, and throws them all at the end (AggregateError). Only the lease stays
 * when the interface could not be removed: an address that is still in use must not be given to another container.
 */
export async function del(request: Request): Promise<void> {
	const failures = attempts('DEL');
	if (await failures.attempt(() => holdLeases(request))) {
		// First, so that the kernel frees what the rules had while it removes the interface.
		await failures.attempt(() => removeRules(request));
		const detached = await failures.attempt(() => removeInterfaces(request));
		if (detached) await failures.attempt(() => addressManager(request).del(request));
	}
	failures.report();
}

async function removeRules(request: Request): Promise<void> {
	const directory = natDirectoryForDel(request.configuration);
	answerNoMore(directory, request);
	await detachNat(directory, request, request.deadline, { staysOpen: true });
}

/** What is wrong with the leases themselves is told when they are released; here only an ADD that is under way matters. */
function holdLeases(request: Request): void {
	if (request.configuration.ipamType !== OUR_IPAM) return;
	try {
		holdAttachment(request);
	} catch (error) {
		if (error instanceof LeaseError && error.code === 'busy') throw error;
	}
}

function removeInterfaces(request: Request): void {
	const host = openConnection(NETLINK_ROUTE, request.deadline);
	const port = findLink(host, hostInterfaceName(request));
	if (port === undefined) {
		removeForeignPort(host, request);
	} else if (!belongsToAnotherNetwork(port.alias, request.configuration.name)) {
		deleteLink(host, port);
	}
	removeIfb(host, request);
}

/**
 * Whoever moves from the reference bridge, or renames a host end, has a port on the bridge whose name does not follow
 * from the attachment. It is found by its other end, the container's interface.
 */
function removeForeignPort(host: Connection, request: Request): void {
	const name = bridgeNameOf(request.configuration);
	const bridge = isDeviceName(name) ? findLink(host, name) : undefined;
	const inside = bridge && findInside(request);
	const peer = inside?.kind === 'veth' ? findLink(host, inside.peer) : undefined;
	if (peer?.kind !== 'veth' || peer.master !== bridge?.index || peer.peer !== inside?.index) return;
	// The namespace may be another container's by now.
	const isOthers = isOurs(peer.alias) && peer.alias !== hostInterfaceAlias(request.configuration.name, request);
	if (!isOthers) deleteLink(host, peer);
}

function findInside({ netns, ifname, deadline }: Request): Link | undefined {
	if (netns === '') return undefined;
	try {
		const namespace = openNetworkNamespace(netns);
		return findLink(
			namespace.run(() => openConnection(NETLINK_ROUTE, deadline)),
			ifname,
		);
	} catch (error) {
		// What was in a namespace that is gone is gone, too.
		if (error instanceof NamespaceError) return undefined;
		throw error;
	}
}
