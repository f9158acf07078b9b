import test from 'ava';
import { fieldsOf } from '../../src/cni/fields.ts';
import { mesosAddresses, mesosNetworkInfo } from '../../src/cni/mesos.ts';
import { refuses } from './assertions.ts';

const networkInfo = (args: unknown) => mesosNetworkInfo(fieldsOf(args, 'args.'));

test('a call without the key of Mesos is not by Mesos', (t) => {
	t.is(mesosNetworkInfo(undefined), undefined);
	t.is(networkInfo({ cni: {} }), undefined);
	t.is(networkInfo({ 'org.apache.mesos': null }), undefined);
});

test('Mesos may say nothing about the container', (t) => {
	t.is(networkInfo({ 'org.apache.mesos': {} })?.entries.size, 0);
	t.is(networkInfo({ 'org.apache.mesos': { network_info: null } })?.entries.size, 0);
});

test('an entry without an address asks for none', (t) => {
	const given = (ip_addresses: unknown) => networkInfo({ 'org.apache.mesos': { network_info: { ip_addresses } } });
	const both = given([{ protocol: 'IPv4' }, { protocol: 'IPv6', ip_address: 'fd00::5' }, { ip_address: '9.0.1.5' }]);
	t.deepEqual(both && mesosAddresses(both), ['fd00::5', '9.0.1.5']);
	const wrong = given([{ ip_address: 5 }]);
	refuses(
		t,
		() => wrong && mesosAddresses(wrong),
		7,
		'reading args.org.apache.mesos.network_info.ip_addresses[0].ip_address',
	);
});
