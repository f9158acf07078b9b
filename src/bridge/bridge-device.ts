// The bridge itself: made on first use, put right when it is not as configured.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { ensureSysctl, hasSysctl } from '../linux/sysctl.ts';
import { createBridge, filtersVlans, vlanFiltering } from '../netlink/bridge.ts';
import type { Connection } from '../netlink/connection.ts';
import { changeLink, deleteLink, findLink, type Link, listPorts } from '../netlink/link.ts';
import { isKernelError, tolerating } from '../netlink/netlink-error.ts';
import type { BridgeConfiguration } from './configuration.ts';
import { gatewayInterfaceName, isOurMac, vlanPortName } from './names.ts';
import type { Undo } from './undo.ts';

/** How often a bridge is made again that vanishes: an ADD that made it and failed may remove it under another. */
const ATTEMPTS = 10;

/**
 * The bridge of a configuration, made with the given MAC when it is not there (`existing`); several processes may do so
 * at once. Throws CniError 7 when the name is another device's, NetlinkError when the kernel refuses.
 */
export function ensureBridge(
	host: Connection,
	configuration: BridgeConfiguration,
	mac: string,
	existing: Link | undefined,
	undo: Undo,
): Link {
	const { bridge: name, mtu, vlan } = configuration;
	let found = existing;
	for (let attempt = 1; found === undefined; attempt++) {
		const created = tolerating(['EEXIST'], () => host.execute(createBridge(name, { mtu, mac })));
		if (created) undo(`bridge "${name}"`, () => removeUnusedBridge(host, name, vlan));
		found = findBridge(host, name);
		if (found === undefined && attempt === ATTEMPTS) {
			throw new CniError(
				CniErrorCode.kernelRefused,
				`making bridge "${name}": it was removed ${ATTEMPTS} times, by somebody else`,
			);
		}
	}
	return putRight(host, found, configuration);
}

/** The bridge with a name, or undefined. Throws CniError 7 when the name is that of another device. */
export function findBridge(host: Connection, name: string): Link | undefined {
	const found = findLink(host, name);
	if (found === undefined || found.kind === 'bridge') return found;
	const kind = found.kind === '' ? 'no bridge' : `of kind ${found.kind}`;
	throw new CniError(
		CniErrorCode.invalidConfiguration,
		`using bridge "${name}": a device of that name exists and is ${kind}; rename it, or set bridge`,
	);
}

function putRight(host: Connection, found: Link, configuration: BridgeConfiguration): Link {
	const { promiscMode: promiscuous, vlan, vlanTrunk } = configuration;
	if (!found.up) prepareIpv6(found.name);
	// A MAC that was given stays; one that the kernel chose moves to that of a port, and all containers lose their gateway.
	if (!found.up || !isOurMac(found.mac) || (promiscuous && !found.promiscuous)) {
		host.execute(changeLink(found, { up: true, mac: found.mac, ...(promiscuous && { promiscuous }) }));
	}
	if ((vlan !== 0 || vlanTrunk.length > 0) && !filtersVlans(host, found.index)) enableVlanFiltering(host, found);
	return found;
}

/**
 * Before the bridge, or its interface in a VLAN, comes up: the host does not listen to routers among the containers, and
 * the gateway address is usable at once: while it is tentative, a second or two, the kernel drops what it should forward
 * to a container that it has not heard of.
 */
export function prepareIpv6(name: string): void {
	const parameters = `ipv6/conf/${name}`;
	if (!hasSysctl(parameters)) return;
	ensureSysctl(`${parameters}/accept_ra`, '0');
	ensureSysctl(`${parameters}/accept_dad`, '0');
}

function enableVlanFiltering(host: Connection, bridge: Link): void {
	try {
		host.execute(changeLink(bridge, {}, vlanFiltering()));
	} catch (error) {
		if (!isKernelError(error, 'EOPNOTSUPP')) throw error;
		throw new CniError(
			CniErrorCode.kernelRefused,
			`turning on VLAN filtering of bridge "${bridge.name}": this kernel has none (CONFIG_BRIDGE_VLAN_FILTERING); leave vlan and vlanTrunk out`,
			{ cause: error },
		);
	}
}

/** Only a bridge without ports, but for that of its gateway in the VLAN: an ADD that was just about to join makes a new one. */
function removeUnusedBridge(host: Connection, name: string, vlan: number): void {
	const bridge = findLink(host, name);
	if (bridge === undefined) return;
	const [port, ...others] = listPorts(host, bridge);
	const isGatewayPort = port?.name === vlanPortName(gatewayInterfaceName(name, vlan));
	if (others.length > 0 || (port !== undefined && !isGatewayPort)) return;
	if (port !== undefined) deleteLink(host, port);
	deleteLink(host, bridge);
}
