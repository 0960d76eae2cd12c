using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// A resolver and the only name server of the zone example.test, hostile in the ways of <see cref="DnsHostility"/>. It shares no code
/// with the code under test and writes its own messages.
/// </summary>
public sealed class HostileDnsServer : IAsyncDisposable
{
    private const string Zone = "example.test";
    private const int HeaderLength = 12;
    private const ushort A = 1, Ns = 2, Cname = 5, Soa = 6, Txt = 16;
    private const byte Response = 0x84, Truncation = 0x02, RecursionAvailable = 0x80;
    private const int ServFail = 2, NxDomain = 3;

    private DnsHostility _hostility;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _stranger = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly TcpListener _tcp;
    private readonly Task _running;
    private int _questions;

    /// <summary>Starts a server.</summary>
    /// <param name="hostility">How it is hostile.</param>
    /// <param name="time">The clock for its delays.</param>
    /// <param name="address">The endpoint; by default a free port of 127.0.0.1.</param>
    public HostileDnsServer(DnsHostility hostility, TimeProvider? time = null, IPEndPoint? address = null)
    {
        (_hostility, _time) = (hostility, time ?? TimeProvider.System);
        Address = address ?? new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp());
        _udp.Bind(Address);
        _stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _tcp = new TcpListener(Address);
        _tcp.Start();
        _running = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    /// <summary>The endpoint, over UDP and TCP.</summary>
    public IPEndPoint Address { get; }

    /// <summary>The number of queries so far.</summary>
    public int Questions => Volatile.Read(ref _questions);

    /// <summary>The values of TXT records by name.</summary>
    public ConcurrentDictionary<string, ConcurrentBag<string>> Texts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Stops responding.</summary>
    public void Silence() => _hostility = DnsHostility.Silent;

    private bool OverTcpOnly => Is(DnsHostility.PointerChains | DnsHostility.Huge | DnsHostility.Truncated | DnsHostility.Dripping);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stranger.Dispose();
        _stop.Dispose();
    }

    private bool Is(DnsHostility any) => (_hostility & any) != 0;

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[4096];
        while (true)
        {
            var received = await _udp.ReceiveFromAsync(buffer, SocketFlags.None, Address, _stop.Token);
            _ = AnswerDatagramAsync(buffer[..received.ReceivedBytes], received.RemoteEndPoint);
        }
    }

    private async Task AnswerDatagramAsync(byte[] query, EndPoint client)
    {
        try
        {
            if (await AnswerAsync(query, overTcp: false) is not { } answer)
            {
                return;
            }

            if (Is(DnsHostility.Spoofed))
            {
                var lie = Answer(query, [Record(query[HeaderLength..QuestionEnd(query)][..^4], Txt, [4, .. "lies"u8])], [], code: 0);
                for (var id = 0; id < 50; id++)
                {
                    await _stranger.SendToAsync(lie, SocketFlags.None, client, _stop.Token);
                    await _udp.SendToAsync(
                        WithId(lie, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(query) + 1 + id)), SocketFlags.None, client, _stop.Token);
                }
            }

            await _udp.SendToAsync(answer, SocketFlags.None, client, _stop.Token);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client closed the connection, or the test has ended.
        }
    }

    private async Task ServeTcpAsync()
    {
        while (true)
        {
            _ = ServeAsync(await _tcp.AcceptTcpClientAsync(_stop.Token));
        }
    }

    private async Task ServeAsync(TcpClient accepted)
    {
        try
        {
            using var client = accepted;
            var stream = client.GetStream();
            var prefix = new byte[2];
            await stream.ReadExactlyAsync(prefix, _stop.Token);
            var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
            await stream.ReadExactlyAsync(query, _stop.Token);
            if (await AnswerAsync(query, overTcp: true) is not { } answer)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _time, _stop.Token);
                return;
            }

            BinaryPrimitives.WriteUInt16BigEndian(prefix, (ushort)answer.Length);
            byte[] framed = [.. prefix, .. answer];
            for (var sent = 0; Is(DnsHostility.Dripping) && sent < framed.Length; sent++)
            {
                await stream.WriteAsync(framed.AsMemory(sent, 1), _stop.Token);
                await Task.Delay(TimeSpan.FromSeconds(1), _time, _stop.Token);
            }

            await stream.WriteAsync(framed, _stop.Token);
        }
        catch (Exception exception) when (
            exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client closed the connection, or the test has ended.
        }
    }

    private async Task<byte[]?> AnswerAsync(byte[] query, bool overTcp)
    {
        Interlocked.Increment(ref _questions);
        if (Is(DnsHostility.Slow))
        {
            await Task.Delay(TimeSpan.FromSeconds(1), _time, _stop.Token);
        }

        if (QuestionEnd(query) is not (> 0 and var end) || Is(DnsHostility.Silent))
        {
            return null;
        }

        var name = NameOf(query);
        var type = BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(end - 4));
        if (Is(DnsHostility.NoSoa) && type == Soa)
        {
            return null;
        }

        if (Is(DnsHostility.ManyServers) && type is A or 28 && name.StartsWith("ns", StringComparison.Ordinal))
        {
            return null;
        }

        if (Is(DnsHostility.ServerFailure) || (Is(DnsHostility.FailsForCname) && type == Cname))
        {
            return Answer(query, [], [], ServFail);
        }

        if (!overTcp && OverTcpOnly)
        {
            var cut = Answer(query, [], [], code: 0);
            cut[2] |= Truncation;
            return cut;
        }

        return Twist(query, Records(name, type));
    }

    private byte[] Twist(byte[] query, (List<byte[]> Answers, bool Exists) found)
    {
        var authority = found.Answers.Count > 0 || Is(DnsHostility.NoSoa)
            ? []
            : new List<byte[]> { SoaRecord(Is(DnsHostility.ForeignZone) ? "foreign.test" : Zone) };
        if (Is(DnsHostility.Huge))
        {
            authority.AddRange(Enumerable.Range(0, 220).Select(i => Record(Name($"x{i}.{Zone}"), Txt, [250, .. new byte[250]])));
        }

        var answer = Answer(query, found.Answers, authority, found.Exists ? 0 : NxDomain);
        if (Is(DnsHostility.PointerChains))
        {
            answer = WithPointerChains(answer);
        }

        if (Is(DnsHostility.Truncated))
        {
            answer[2] |= Truncation;
        }

        if (Is(DnsHostility.WrongQuestion))
        {
            answer[HeaderLength + 1] ^= 1;
        }

        if (Is(DnsHostility.Garbage))
        {
            new Random(answer.Length).NextBytes(answer.AsSpan(QuestionEnd(query)));
        }

        return Is(DnsHostility.WrongId) ? WithId(answer, (ushort)~BinaryPrimitives.ReadUInt16BigEndian(answer)) : answer;
    }

    private (List<byte[]> Answers, bool Exists) Records(string name, ushort type)
    {
        if (Chain(name) is { Count: > 0 } chain)
        {
            return (chain, true);
        }

        var isApex = name.Equals(Zone, StringComparison.OrdinalIgnoreCase);
        var texts = Texts.TryGetValue(name, out var values) ? values.ToArray() : [];
        List<byte[]> answers = type switch
        {
            Soa when isApex => [SoaRecord(Zone)],
            Ns when isApex && Is(DnsHostility.ManyServers) =>
                [.. Enumerable.Range(1, 400).Select(i => Record(Name(Zone), Ns, Name($"ns{i}.{Zone}")))],
            Ns when isApex => [Record(Name(Zone), Ns, Name($"ns1.{Zone}"))],
            A when name == $"ns1.{Zone}" => [Record(Name(name), A, [127, 0, 0, 1])],
            Txt => [.. texts.Select(text => Record(Name(name), Txt, [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)]))],
            _ => [],
        };
        return (
            answers,
            answers.Count > 0 || texts.Length > 0 || isApex || Zone.EndsWith(
                "." + name, StringComparison.OrdinalIgnoreCase) || name == $"ns1.{Zone}");
    }

    private List<byte[]> Chain(string name)
    {
        const int Length = 100;
        var isChallenge = name.StartsWith("_acme-challenge.", StringComparison.OrdinalIgnoreCase);
        var at = isChallenge ? 0 : name.StartsWith('h') && int.TryParse(
            name.AsSpan(1, name.IndexOf('.', StringComparison.Ordinal) - 1), out var hop) ? hop : -1;
        if (
            at is < 0 or >= Length || !Is(
                DnsHostility.LongChain | DnsHostility.LongChainAtOnce | DnsHostility.Circle | DnsHostility.DeepName))
        {
            return [];
        }

        if (Is(DnsHostility.DeepName))
        {
            return isChallenge ? [Record(Name(name), Cname, Name(string.Concat(Enumerable.Repeat("a.", 118)) + Zone))] : [];
        }

        if (Is(DnsHostility.Circle))
        {
            return [Record(Name(name), Cname, Name(at == 2 ? $"h1.{Zone}" : $"h{at + 1}.{Zone}"))];
        }

        var hops = Is(DnsHostility.LongChainAtOnce) ? Length - at : 1;
        return [.. Enumerable.Range(at, hops).Select(i => Record(Name(i == at ? name : $"h{i}.{Zone}"), Cname, Name($"h{i + 1}.{Zone}")))];
    }

    private byte[] Answer(byte[] query, List<byte[]> answers, List<byte[]> authority, int code)
    {
        var end = QuestionEnd(query);
        var flags = (byte)(Is(DnsHostility.NotAuthoritative) ? Response & ~0x04 : Response);
        byte[] header =
        [
            query[0], query[1], (byte)(flags | (query[2] & 0x79)), (byte)(RecursionAvailable | code),
            0, 1, .. Number(answers.Count), .. Number(authority.Count), 0, 0,
        ];
        return [.. header, .. query[HeaderLength..end], .. answers.SelectMany(r => r), .. authority.SelectMany(r => r)];
    }

    /// <summary>
    /// Adds an unknown record full of pointers, each to the previous one, and then records whose names are the last pointer.
    /// </summary>
    private static byte[] WithPointerChains(byte[] answer)
    {
        const int ReachOfPointers = 0x3FFF;
        var message = new List<byte>(answer);
        message.AddRange([0, 255, 0, 0, 1, 0, 0, 0, 0]);
        var length = ReachOfPointers - 1 - message.Count - 2;
        length -= length % 2;
        message.AddRange(Number(length));
        var target = HeaderLength;
        for (var i = 0; i < length; i += 2)
        {
            var here = message.Count;
            message.AddRange([(byte)(0xC0 | (target >> 8)), (byte)target]);
            target = here;
        }

        var added = 1;
        while (message.Count < 65_000)
        {
            message.AddRange([(byte)(0xC0 | (target >> 8)), (byte)target, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
            added++;
        }

        var counted = message.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(counted.AsSpan(8), (ushort)(BinaryPrimitives.ReadUInt16BigEndian(counted.AsSpan(8)) + added));
        return counted;
    }

    private static byte[] SoaRecord(string zone)
        => Record(
            Name(zone),
            Soa,
            [.. Name($"ns1.{zone}"), .. Name($"hostmaster.{zone}"), 0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 2, 88, 0, 1, 81, 128, 0, 0, 0, 5]);

    private static byte[] Record(byte[] owner, ushort type, byte[] data) =>
        [.. owner, .. Number(type), 0, 1, 0, 0, 0, 5, .. Number(data.Length), .. data];

    private static byte[] Name(string name) =>
        [.. name.Split('.').SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)), 0];

    private static byte[] Number(int number) => [(byte)(number >> 8), (byte)number];

    private static byte[] WithId(byte[] message, ushort id) => [.. Number(id), .. message[2..]];

    private static string NameOf(byte[] query)
    {
        var labels = new List<string>();
        for (var at = HeaderLength; query[at] != 0; at += query[at] + 1)
        {
            labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
        }

        return string.Join('.', labels);
    }

    private static int QuestionEnd(byte[] query)
    {
        var at = HeaderLength;
        while (at < query.Length && query[at] is > 0 and < 64)
        {
            at += query[at] + 1;
        }

        return at + 5 <= query.Length && query[at] == 0 ? at + 5 : -1;
    }
}
