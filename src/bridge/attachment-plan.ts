// Decides what an attachment will consist of, from the configuration and the leased addresses.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Request } from '../cni/request.ts';
import { addressesPerFamily, type IpConfig, type Route } from '../cni/result.ts';
import { assertVersionCarries } from '../cni/versions.ts';
import type { Leased, RoutedAddress } from '../ipam/routed.ts';
import { type BridgeConfiguration, SMALLEST_IPV6_MTU } from './configuration.ts';
import { gatewayCidrs, withGateways } from './gateway.ts';
import { macOfAddress, macOfAttachment, macOfGateway, randomMac } from './names.ts';
import { resolveRoutes } from './routes.ts';

export interface AttachmentPlan {
	/** The container's, each with its gateway when the bridge is one. */
	readonly addresses: readonly IpConfig[];
	/** The bridge's, in CIDR form. */
	readonly gateways: readonly string[];
	/** For which the host needs routes. */
	readonly routed: readonly RoutedAddress[];
	/** The container's. */
	readonly routes: readonly Route[];
	readonly mac: string;
	/** Of the bridge, should it be made now, or of its interface in a VLAN. */
	readonly gatewayMac: string;
}

/**
 * Plans an attachment. Throws CniError 7 for what can be known to be impossible before any work: a version that cannot
 * carry the result, an MTU that cannot carry IPv6.
 */
export function planAttachment(
	request: Request,
	configuration: BridgeConfiguration,
	leased: Pick<Leased, 'ips' | 'routes' | 'routed'>,
): AttachmentPlan {
	const count = addressesPerFamily(leased.ips);
	assertVersionCarries(request.configuration.cniVersion, count);
	if (count[6] > 0 && configuration.mtu < SMALLEST_IPV6_MTU) {
		throw new CniError(
			CniErrorCode.invalidConfiguration,
			`reading mtu: IPv6 needs at least ${SMALLEST_IPV6_MTU} (RFC 8200), got ${configuration.mtu}`,
		);
	}
	const { isGateway, isDefaultGateway } = configuration;
	const addresses = isGateway ? withGateways(leased.ips) : leased.ips;
	const gateways = isGateway ? gatewayCidrs(addresses) : [];
	return {
		addresses,
		gateways,
		routed: isGateway ? leased.routed : [],
		routes: resolveRoutes(leased.routes, addresses, isDefaultGateway),
		mac: configuration.mac ?? macOf(addresses[0]?.address, macOfAddress) ?? macOfAttachment(request),
		gatewayMac: macOf(gateways[0], macOfGateway) ?? randomMac(),
	};
}

function macOf(cidr: string | undefined, make: (ip: string) => string): string | undefined {
	const [ip] = cidr?.split('/') ?? [];
	return ip === undefined ? undefined : make(ip);
}
