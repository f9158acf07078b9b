// What an agent is started with, as it is typed.
import test from 'ava';
import {
	readDirectory,
	readHostAddress,
	readListenAddress,
	readMasterUrl,
	readMtu,
	readWord,
} from '../../src/agent/agent-options.ts';

test('options that can be used', (t) => {
	t.is(readMasterUrl('http://10.0.0.1:5055').host, '10.0.0.1:5055');
	t.is(readMasterUrl('https://master.example/').protocol, 'https:');
	t.is(readHostAddress('FD00:0::1'), 'fd00::1');
	t.deepEqual(readListenAddress('5056'), { host: '127.0.0.1', port: 5056 });
	t.deepEqual(readListenAddress('[::]:1'), { host: '::', port: 1 });
	t.is(readMtu('1450'), 1450);
	t.is(readWord('addressing', 'routed', ['bridged', 'routed']), 'routed');
	t.is(readDirectory('cni-dir', '/etc/cni/'), '/etc/cni');
});

const wrong: readonly (readonly [() => unknown, string])[] = [
	[
		() => readMasterUrl('10.0.0.1'),
		'reading --master: "10.0.0.1" is no address of a master, write it as "http://10.0.0.1:5055"',
	],
	[
		() => readMasterUrl('http://10.0.0.1:5055/state'),
		'reading --master: "http://10.0.0.1:5055/state" is no address of a master, write it as "http://10.0.0.1:5055"',
	],
	[
		() => readHostAddress('host'),
		'reading --ip: "host" is no IP address, give the one by which other hosts reach this one',
	],
	[
		() => readListenAddress('localhost:99999'),
		'reading --listen: "localhost:99999" is no address with a port, write it as "127.0.0.1:5056"',
	],
	[() => readMtu('9'), 'reading --mtu: "9" is no number of bytes from 576 to 65535'],
	[() => readWord('addressing', 'flat', ['bridged']), 'reading --addressing: "flat" is none of bridged'],
	[() => readWord('docker-ipv6', 'yes', ['on', 'off']), 'reading --docker-ipv6: "yes" is none of on, off'],
	[() => readDirectory('cni-dir', 'etc'), 'reading --cni-dir: "etc" is no absolute path'],
];
for (const [read, message] of wrong) test(message, (t) => t.is(t.throws(read)?.message, message));
