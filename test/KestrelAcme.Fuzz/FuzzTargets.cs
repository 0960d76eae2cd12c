using System.Buffers;
using System.Net;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;
using KestrelAcme.Tls;

namespace KestrelAcme.Fuzz;

/// <summary>Everything that reads bytes from visitors, authorities, name servers, and whoever can write to the store.</summary>
public static class FuzzTargets
{
    private static readonly Uri Url = new("https://ca.example/acme/order/1");
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>All targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("client-hello", ReadClientHello, static _ => false),
        new("dns-message", static input => MessageReader.Read(input), static e => e is DnsFormatException),
        new("certificate", ReadCertificate, static e => e is DamagedValueException or InvalidCertificateException),
        new("pem-chain", ReadPemChain, static e => e is AcmeException),
        new("crl", ReadRevocationList, static e => e is UnusableRevocationListException),
        new("stored-certificate", ReadStoredCertificate, static e => e is DamagedValueException),
        new("stored-state", static input => StateFile.Decode(input), static e => e is DamagedValueException),
        new("stored-account", static input => AccountFile.Decode(input), static e => e is DamagedValueException),
        new("stored-lists", ReadStoredLists, static _ => false),
        new("problem", ReadProblem, static _ => false),
        new("acme-object", ReadAcmeObjects, static e => e is AcmeException),
        new("link", ReadLink, static _ => false),
        new("retry-after", ReadRetryAfter, static _ => false),
    ];

    /// <summary>Returns a target by its name.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static FuzzTarget Find(string name) => All.FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException($"There is no target '{name}'; there are {string.Join(", ", All)}.", nameof(name));

    // Whole, byte by byte, and in two segments: what is found must not depend on how the bytes arrive.
    private static void ReadClientHello(ReadOnlySpan<byte> input)
    {
        if (input.Length > 4096)
        {
            return;
        }

        var bytes = input.ToArray();
        var whole = default(ClientHelloReader).Read(new ReadOnlySequence<byte>(bytes), out var hello);
        var reader = default(ClientHelloReader);
        var piecewise = ClientHelloStatus.Incomplete;
        for (var length = 1; length <= bytes.Length && piecewise == ClientHelloStatus.Incomplete; length++)
        {
            piecewise = reader.Read(Split(bytes.AsMemory(0, length)), out var other);
            if (piecewise == ClientHelloStatus.Complete && whole == ClientHelloStatus.Complete && !Equals(hello, other))
            {
                throw new InvalidOperationException($"In pieces the ClientHello reads {other}, whole it reads {hello}.");
            }
        }

        if (whole == ClientHelloStatus.Complete && piecewise != whole)
        {
            throw new InvalidOperationException($"In pieces the reader ends with {piecewise}, whole with {whole}.");
        }
    }

    private static ReadOnlySequence<byte> Split(ReadOnlyMemory<byte> bytes)
    {
        var first = new Segment(bytes[..(bytes.Length / 2)], 0);
        var second = first.Append(bytes[(bytes.Length / 2)..]);
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private static void ReadCertificate(ReadOnlySpan<byte> input)
    {
        var record = Seeds.Certificate with { Chain = [input.ToArray(), .. Seeds.Certificate.Chain.Skip(1)] };
        var snapshot = CertificateSnapshot.Read(record);
        _ = snapshot.ReadRenewalId();
        _ = CertificateCheck.Check(snapshot.Material("fuzz", []));
    }

    private static void ReadPemChain(ReadOnlySpan<byte> input) => PemChain.Read(Response(input, "application/pem-certificate-chain"));

    // The input is the part that is signed: what stands before it is checked by then, and an authority of somebody else's can sign what it
    // likes.
    private static void ReadRevocationList(ReadOnlySpan<byte> input)
        => RevocationListReader.ReadAsync(
            new MemoryStream(Seeds.SignRevocationList(input)), Seeds.Issuer, Seeds.RevocationListUrl, new HashSet<string>(["0A", "0B"]),
                CancellationToken.None).GetAwaiter().GetResult();

    private static void ReadStoredCertificate(ReadOnlySpan<byte> input)
        => CertificateSnapshot.Read(CertificateFile.Decode(input, new SharedParts()));

    private static void ReadStoredLists(ReadOnlySpan<byte> input)
    {
        foreach (var decode in (FuzzTarget.Reader[])[
            static value => RevocationListFile.Decode(value),
            static value => DomainSourceFile.Decode(value),
            static value => HousekeepingFile.Decode(value)])
        {
            try
            {
                decode(input);
            }
            catch (DamagedValueException)
            {
                // Refused as documented.
            }
        }
    }

    private static void ReadProblem(ReadOnlySpan<byte> input)
    {
        var text = Response(input, "application/problem+json").ReadProblem()?.ToString();
        if (text is not null && text.Any(static c => char.IsControl(c)))
        {
            throw new InvalidOperationException("A control character came through.");
        }
    }

    private static void ReadAcmeObjects(ReadOnlySpan<byte> input)
    {
        var response = Response(input, "application/json");
        Refused(() => Order.FromResponse(response, Url));
        Refused(() => Protocol.Authorizations.Authorization.FromResponse(response, Url));
        Refused(() => RenewalInfo.FromResponse(response));
        Refused(() => AcmeDirectory.FromDocument(response.Read(AcmeJson.Default.DirectoryDocument), response));
        Refused(() => OrderList.ReadPage(response));
    }

    private static void Refused(Action read)
    {
        try
        {
            read();
        }
        catch (AcmeException)
        {
            // Refused as documented.
        }
    }

    private static void ReadLink(ReadOnlySpan<byte> input)
        => LinkHeader.Parse(Encoding.Latin1.GetString(input).Split('\n'), Url, Url);

    private static void ReadRetryAfter(ReadOnlySpan<byte> input)
    {
        var wait = RetryAfterHeader.Parse(Encoding.Latin1.GetString(input), serverDate: null, Now);
        if (wait < TimeSpan.Zero || wait > TimeSpan.FromDays(366))
        {
            throw new InvalidOperationException($"A wait of {wait}.");
        }
    }

    private static AcmeResponse Response(ReadOnlySpan<byte> body, string mediaType) => new()
    {
        Call = new AcmeCall("Reading", Url),
        Origin = Url,
        Status = HttpStatusCode.OK,
        Body = body.ToArray(),
        MediaType = mediaType,
    };

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long start)
        {
            Memory = memory;
            RunningIndex = start;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
