// CHECK: compares what is there with the result of the ADD and with the configuration, and names every difference.

import { CniError, CniErrorCode, toCniError } from '../cni/errors.ts';
import type { Request } from '../cni/request.ts';
import type { Interface, IpConfig, Result } from '../cni/result.ts';
import { familyOf } from '../ip/address.ts';
import { sameCidr } from '../ip/cidr.ts';
import { hostInterfaceName } from '../linux/host-interface-name.ts';
import { listAddresses } from '../netlink/address.ts';
import { differencesOfNat } from '../nat/check.ts';
import type { Connection } from '../netlink/connection.ts';
import { findLink, type Link } from '../netlink/link.ts';
import { listRoutes } from '../netlink/route.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import { limitDifferences } from '../shaping/shaper.ts';
import type { RoutedAddress } from '../ipam/routed.ts';
import { addressManager } from './address-manager.ts';
import { findBridge } from './bridge-device.ts';
import { type BridgeConfiguration, readBridgeConfiguration } from './configuration.ts';
import { openContainerNamespace } from './container-namespace.ts';
import { isForwarding } from './forwarding.ts';
import { gatewayCidrs, withGateways } from './gateway.ts';
import { unroutedSubnets } from './host-routes.ts';
import { gatewayInterfaceName } from './names.ts';
import { findRoute } from './routes.ts';
import { needsIsolatedPort } from './isolation.ts';
import { natWish } from './nat.ts';
import { missingVlans } from './vlan.ts';

/** Takes a difference, in words that say what was expected and what is there. */
type Report = (difference: string) => void;

/**
 * Throws CniError 105 with all differences, joined by "; ". What somebody else may change rightfully (a MAC, an MTU that
 * the result names, promiscuity by tcpdump) is none. CNI SPEC 1.1 §2 "CHECK"
 */
export async function check(request: Request): Promise<void> {
	const configuration = readBridgeConfiguration(request);
	const result = request.configuration.prevResult;
	if (result === undefined) {
		throw new CniError(CniErrorCode.invalidConfiguration, 'reading prevResult: CHECK needs the result of the ADD');
	}
	const namespace = openContainerNamespace(request);
	const container = namespace.run(() => openConnection(NETLINK_ROUTE, request.deadline));
	const host = openConnection(NETLINK_ROUTE, request.deadline);
	const addresses = result.ips.filter((ip) => isContainers(ip, result, request.ifname));
	const differences: string[] = [];
	const report: Report = (difference) => void differences.push(difference);

	const inside = findLink(container, request.ifname);
	if (inside === undefined) {
		report(`interface "${request.ifname}" is not in the container`);
	} else {
		checkContainer(container, inside, configuration, result, addresses, report);
		if (result.interfaces.length > 0 && !result.interfaces.some((each) => isInside(each, request.ifname))) {
			report(`prevResult names no interface "${request.ifname}" of the container`);
		}
		checkPort(host, inside, configuration, request, report);
	}
	let routed: readonly RoutedAddress[] = [];
	try {
		const manager = addressManager(request);
		routed = manager.routed(request);
		await manager.check(request);
	} catch (error) {
		report(toCniError(error).message);
	}
	checkBridge(host, configuration, addresses, routed, report);
	const mac = inside?.mac ?? '';
	const wish = natWish(request, configuration, { ips: addresses, routed, mac });
	if (wish !== undefined) (await differencesOfNat(wish)).forEach(report);
	if (differences.length === 0) return;
	const whose = `"${request.ifname}" of container "${request.containerId}"`;
	throw new CniError(CniErrorCode.checkFailed, `checking ${whose}: ${differences.join('; ')}`);
}

/** Addresses without an interface, as older versions have them, are the container's. */
function isContainers({ interface: index }: IpConfig, { interfaces }: Result, ifname: string): boolean {
	const owner = index === undefined ? undefined : interfaces[index];
	return owner === undefined || isInside(owner, ifname);
}

function isInside({ name, sandbox }: Interface, ifname: string): boolean {
	return name === ifname && sandbox !== undefined;
}

function checkContainer(
	container: Connection,
	inside: Link,
	{ mtu, disableContainerInterface }: BridgeConfiguration,
	result: Result,
	addresses: readonly IpConfig[],
	report: Report,
): void {
	const { name } = inside;
	const stated = result.interfaces.find((each) => isInside(each, name));
	if (inside.kind !== 'veth') report(`"${name}" is no veth but ${inside.kind === '' ? 'a device' : inside.kind}`);
	if (!inside.up && !disableContainerInterface) report(`"${name}" is down`);
	if (stated?.mac !== undefined && stated.mac.toLowerCase() !== inside.mac) {
		report(`"${name}" has MAC ${inside.mac} instead of ${stated.mac}`);
	}
	const wantedMtu = stated?.mtu ?? mtu;
	if (inside.mtu !== wantedMtu) report(`"${name}" has MTU ${inside.mtu} instead of ${wantedMtu}`);

	const present = listAddresses(container, inside);
	for (const { address } of addresses) {
		const found = present.find(({ cidr }) => sameCidr(cidr, address));
		if (found === undefined) report(`"${name}" lacks address ${address}`);
		else if (found.duplicate) report(`address ${address} of "${name}" has another holder in the network`);
	}
	const routes = listRoutes(container, inside);
	for (const route of result.routes) {
		const via = route.gw === undefined ? '' : ` via ${route.gw}`;
		if (findRoute(routes, route) === undefined) report(`the container lacks route ${route.dst}${via}`);
	}
}

function checkPort(
	host: Connection,
	inside: Link,
	configuration: BridgeConfiguration,
	request: Request,
	report: Report,
): void {
	const port = findLink(host, hostInterfaceName(request)) ?? findLink(host, inside.peer);
	if (port?.kind !== 'veth' || port.index !== inside.peer || port.peer !== inside.index) {
		return report(`the host's end of "${inside.name}" is missing`);
	}
	const bridge = findLink(host, configuration.bridge);
	if (port.port === undefined || port.master !== bridge?.index) {
		return report(`"${port.name}" is not a port of bridge "${configuration.bridge}"`);
	}
	const { hairpinMode, portIsolation, nat, mtu, disableContainerInterface, bandwidth } = configuration;
	if (!port.up) report(`port "${port.name}" is down`);
	else if (!port.port.forwarding && !disableContainerInterface) report(`port "${port.name}" does not forward`);
	if (port.mtu < Math.min(mtu, inside.mtu)) report(`port "${port.name}" has MTU ${port.mtu} instead of ${mtu}`);
	if (port.port.hairpin !== hairpinMode) report(`hairpin mode of port "${port.name}" is ${onOff(port.port.hairpin)}`);
	if (port.port.isolated !== (portIsolation || needsIsolatedPort(nat)))
		report(`isolation of port "${port.name}" is ${onOff(port.port.isolated)}`);
	const vlans = missingVlans(host, port, configuration);
	if (vlans.length > 0) report(`port "${port.name}" is not in VLAN ${vlans.join(', ')}`);
	if (bandwidth !== undefined) limitDifferences(host, port, request, bandwidth).forEach(report);
}

function checkBridge(
	host: Connection,
	{ bridge: name, isGateway, vlan }: BridgeConfiguration,
	addresses: readonly IpConfig[],
	routed: readonly RoutedAddress[],
	report: Report,
): void {
	const bridge = findBridge(host, name);
	if (bridge === undefined) return report(`bridge "${name}" is missing`);
	if (!bridge.up) report(`bridge "${name}" is down`);
	if (!isGateway || addresses.length === 0) return;

	const gateways = gatewayCidrs(withGateways(addresses));
	const gatewayInterface = vlan === 0 ? bridge : findLink(host, gatewayInterfaceName(name, vlan));
	const present = gatewayInterface === undefined ? [] : listAddresses(host, gatewayInterface);
	for (const gateway of gateways) {
		if (!present.some(({ cidr }) => sameCidr(cidr, gateway))) {
			report(
				`"${gatewayInterface?.name ?? gatewayInterfaceName(name, vlan)}" lacks the gateway address ${gateway}`,
			);
		}
		const family = familyOf(gateway);
		if (!isForwarding(family)) report(`the host does not forward IPv${family}`);
	}
	if (gatewayInterface === undefined) return;
	for (const subnet of unroutedSubnets(host, gatewayInterface, routed)) {
		report(`the host lacks route ${subnet} through "${gatewayInterface.name}", or another comes before it`);
	}
}

function onOff(on: boolean): string {
	return on ? 'on' : 'off';
}
