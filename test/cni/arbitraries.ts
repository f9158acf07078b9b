// Random results, as large as the fields allow.
import fc from 'fast-check';
import type { Dns, Interface, IpConfig, Result, Route } from '../../src/cni/result.ts';

const text = fc.string({ minLength: 1 });
const count = fc.nat({ max: 0x7fff_ffff });
const texts = fc.array(text, { minLength: 1, maxLength: 3 });

export const address = fc.oneof(fc.ipV4(), fc.ipV6());
const cidrOf = {
	4: fc.tuple(fc.ipV4(), fc.nat(32)).map(([ip, prefix]) => `${ip}/${prefix}`),
	6: fc.tuple(fc.ipV6(), fc.nat(128)).map(([ip, prefix]) => `${ip}/${prefix}`),
};
const cidr = fc.oneof(cidrOf[4], cidrOf[6]);

const network: fc.Arbitrary<Interface> = fc.record(
	{ name: text, mac: text, mtu: count, sandbox: text, socketPath: text, pciID: text },
	{ requiredKeys: ['name'] },
);
const ip: fc.Arbitrary<IpConfig> = fc.record(
	{ address: cidr, gateway: address, interface: fc.integer({ min: -1, max: 5 }) },
	{ requiredKeys: ['address'] },
);
const route: fc.Arbitrary<Route> = fc.record(
	{ dst: cidr, gw: address, mtu: count, advmss: count, priority: count, table: count, scope: fc.nat(255) },
	{ requiredKeys: ['dst'] },
);
const dns: fc.Arbitrary<Dns> = fc.record(
	{ nameservers: texts, domain: text, search: texts, options: texts },
	{ requiredKeys: [] },
);

/** Anything that the newest version can say. */
export const anyResult: fc.Arbitrary<Result> = fc.record({
	interfaces: fc.array(network, { maxLength: 4 }),
	ips: fc.array(ip, { maxLength: 4 }),
	routes: fc.array(route, { maxLength: 4 }),
	dns,
});

const ofFamily = (family: 4 | 6) => {
	const gw = family === 4 ? fc.ipV4() : fc.ipV6();
	return fc.record({
		ip: fc.record({ address: cidrOf[family], gateway: gw }, { requiredKeys: ['address'] }),
		routes: fc.array(fc.record({ dst: cidrOf[family], gw }, { requiredKeys: ['dst'] }), { maxLength: 3 }),
	});
};

/** What 0.1.0 and 0.2.0 can say: an address of one family or of each, the routes in the order of the families. */
export const familiesResult: fc.Arbitrary<Result> = fc
	.record({ four: fc.option(ofFamily(4)), six: fc.option(ofFamily(6)), dns })
	.filter(({ four, six }) => four !== null || six !== null)
	.map(({ four, six, dns }) => {
		const families = [four, six].filter((family) => family !== null);
		return {
			interfaces: [],
			ips: families.map((family) => family.ip),
			routes: families.flatMap((family) => family.routes),
			dns,
		};
	});
