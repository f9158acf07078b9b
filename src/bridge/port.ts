// The host's end of an attachment: a port of the bridge, born together with the container's end.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Request } from '../cni/request.ts';
import { hostInterfaceName } from '../linux/host-interface-name.ts';
import { waitUntil } from '../linux/pause.ts';
import { bridgePort } from '../netlink/bridge-port.ts';
import type { Connection } from '../netlink/connection.ts';
import { changeLink, deleteLink, findLink, type Link } from '../netlink/link.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { createVeth } from '../netlink/veth.ts';
import { ensureBridge, findBridge } from './bridge-device.ts';
import type { BridgeConfiguration } from './configuration.ts';
import { hostInterfaceAlias } from './names.ts';
import type { Undo } from './undo.ts';
import { joinVlans } from './vlan.ts';

/** How often to start again because the bridge was removed by an ADD that had made it and failed. */
const BRIDGE_ATTEMPTS = 10;

/**
 * Makes the bridge and the pair, with the container's end in `namespace` (a descriptor). Throws CniError 104 when the
 * attachment exists already, NetlinkError when the kernel refuses.
 */
export function createPort(
	host: Connection,
	configuration: BridgeConfiguration,
	request: Request,
	ends: { readonly namespace: number; readonly mac: string; readonly bridgeMac: string },
	existingBridge: Link | undefined,
	undo: Undo,
): { readonly bridge: Link; readonly portName: string } {
	const name = hostInterfaceName(request);
	const { mtu, portIsolation: isolated, hairpinMode: hairpin } = configuration;
	const peer = { name: request.ifname, mac: ends.mac, namespace: ends.namespace };
	let known = existingBridge;
	for (let attempt = 1; ; attempt++) {
		const bridge = ensureBridge(host, configuration, ends.bridgeMac, known, undo);
		try {
			host.execute(createVeth({ name, master: bridge.index, mtu, peer }));
		} catch (error) {
			if (isKernelError(error, 'EEXIST')) throw alreadyThere(host, name, request, error);
			known = findBridge(host, configuration.bridge);
			if (known?.index === bridge.index || attempt === BRIDGE_ATTEMPTS) throw error;
			continue;
		}
		undo(`interface "${name}"`, () => void removePort(host, name));
		const alias = hostInterfaceAlias(configuration.network, request);
		host.execute(changeLink({ name }, { alias }, bridgePort({ hairpin, isolated })));
		joinVlans(host, name, configuration);
		return { bridge, portName: name };
	}
}

/** Throws CniError 104 when the attachment exists already; {@link createPort} finds out, too, but late. */
export function refuseExistingPort(host: Connection, request: Request): void {
	const name = hostInterfaceName(request);
	if (findLink(host, name) !== undefined) throw alreadyThere(host, name, request);
}

/** The port once it forwards: some tenths of a millisecond after both ends are up; until then packets are lost. */
export function awaitForwarding(host: Connection, name: string, deadline: number): Link {
	let port: Link | undefined;
	const forwards = waitUntil(deadline, () => {
		port = findLink(host, name);
		return port?.port?.forwarding !== false;
	});
	if (port?.port === undefined) {
		throw new CniError(
			CniErrorCode.kernelRefused,
			`waiting for port "${name}": it was removed, or left its bridge`,
		);
	}
	if (forwards) return port;
	throw new CniError(
		CniErrorCode.tryAgainLater,
		`waiting for port "${name}" to forward: it did not before the deadline`,
	);
}

/**
 * The bridge once the host can send through it, which with its first port takes as long again. What it says of its MTU
 * is up to date then, too: it takes on that of its smallest port.
 */
export function awaitOperational(host: Connection, bridge: Link, deadline: number): Link {
	let seen: Link | undefined;
	const operational = waitUntil(deadline, () => {
		seen = findLink(host, bridge.index);
		return seen?.operational !== false;
	});
	if (seen === undefined) {
		throw new CniError(CniErrorCode.kernelRefused, `waiting for bridge "${bridge.name}": somebody removed it`);
	}
	if (operational) return seen;
	throw new CniError(
		CniErrorCode.tryAgainLater,
		`waiting for bridge "${bridge.name}" to forward: it did not before the deadline`,
	);
}

/** Removes a port, and with it the container's end. Returns whether it was there. */
export function removePort(host: Connection, name: string): boolean {
	const port = findLink(host, name);
	return port !== undefined && deleteLink(host, port);
}

function alreadyThere(host: Connection, name: string, { containerId, ifname }: Request, cause?: unknown): CniError {
	const alias = findLink(host, name)?.alias ?? '';
	const owner = alias === '' ? '' : ` ("${alias}")`;
	return new CniError(
		CniErrorCode.alreadyAttached,
		`attaching "${ifname}" of container "${containerId}": its host interface "${name}" exists already${owner}; DEL it first`,
		{ cause },
	);
}
