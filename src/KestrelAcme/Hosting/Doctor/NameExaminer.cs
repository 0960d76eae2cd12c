using System.Buffers.Binary;
using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Looks up a name in DNS, and requests a token of this app from its addresses, as a CA does.</summary>
internal sealed class NameExaminer(DnsAccess dns, TokenProbe probe)
{
    private const int MostAddresses = 8;
    private const string LocalHost = "localhost";
    private const DnsRecordType Https = (DnsRecordType)65;

    /// <summary>Finds out where a name leads, and what its HTTPS record promises.</summary>
    public async Task<IReadOnlyList<DiagnosisFinding>> ExamineAsync(
        CertificateIdentifier name, NameExamination with, CancellationToken cancellationToken)
    {
        var facts = new NameFacts
        {
            Name = name.BaseValue,
            ChallengeTypes = with.ChallengeTypes,
            IsPublicAuthority = with.IsPublicAuthority,
            IsTellable = with.IsTellable,
        };
        if (name.Kind == IdentifierKind.Ip)
        {
            return [.. NameVerdicts.Addresses(await LookAsync(facts, [IPAddress.Parse(name.Value)], with, cancellationToken))];
        }

        if (name.BaseValue == LocalHost || name.BaseValue.EndsWith($".{LocalHost}", StringComparison.Ordinal))
        {
            // Always this machine, without DNS (RFC 6761 section 6.3).
            return [.. NameVerdicts.Addresses(await LookAsync(facts, [IPAddress.Loopback], with, cancellationToken))];
        }

        var owner = DnsName.Parse(name.BaseValue);
        var https = HttpsRecordsAsync(owner, cancellationToken);
        var responses = await Task.WhenAll(
            dns.Client.ResolveAsync(owner, DnsRecordType.A, cancellationToken),
            dns.Client.ResolveAsync(owner, DnsRecordType.AAAA, cancellationToken));
        var addresses = responses.SelectMany(r => r.RecordsOf<AddressRecord>()).Select(r => r.Address).Distinct().Take(MostAddresses);
        facts = facts with
        {
            Exists = !Array.TrueForAll(responses, r => r is { Code: DnsResponseCode.NXDOMAIN, Answers.Count: 0 }),
        };
        facts = await LookAsync(facts, [.. addresses], with, cancellationToken);
        return [.. NameVerdicts.Addresses(facts), NameVerdicts.Https(facts, await https)];
    }

    /// <summary>Judges the CAA records of a name.</summary>
    public async Task<IReadOnlyList<DiagnosisFinding>> ExamineCaaAsync(
        CertificateIdentifier name, NameExamination with, CancellationToken cancellationToken)
    {
        var subject = new CaaSubject(name.BaseValue, name.IsWildcard);
        var set = await dns.Caa.FindAsync(DnsName.Parse(name.BaseValue), cancellationToken);
        var request = new CaaRequest
        {
            Subjects = [subject],
            CaaIdentities = with.CaaIdentities,
            AccountUrl = with.AccountUrl ?? new Uri("urn:unknown"),
            ChallengeTypes = with.ChallengeTypes,
        };
        return [NameVerdicts.Records(subject, set, request, with.AccountUrl is not null)];
    }

    private async Task<NameFacts> LookAsync(
        NameFacts facts, IPAddress[] addresses, NameExamination with, CancellationToken cancellationToken)
        => facts with
        {
            Addresses = await Task.WhenAll(addresses.Select(a => LookAsync(facts.Name, a, with, cancellationToken))),
        };

    private async Task<AddressSight> LookAsync(
        string host, IPAddress address, NameExamination with, CancellationToken cancellationToken)
    {
        var place = AddressPlaces.Of(OwnAddresses.Plain(address), with.Own);

        // What listens on the loopback address is examined there, and says nothing about the Internet.
        var result = place == AddressPlace.Loopback || with.Trial is not { } trial ? null
            : await probe.AskAsync(
                new IPEndPoint(address, TokenProbe.ValidationPort), host, trial.Token, trial.Response, cancellationToken);
        return new AddressSight(address, place, result);
    }

    private async Task<IReadOnlyList<SvcbRecord>> HttpsRecordsAsync(DnsName owner, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Client.ResolveAsync(owner, Https, cancellationToken);
            return [.. response.RecordsOf<OpaqueRecord>().Where(r => r.Type == Https)
                .Select(r => SvcbRecord.Parse(r.Data.Span)).OfType<SvcbRecord>()];
        }
        catch (DnsException)
        {
            // Old resolvers do not know the type. Clients behind them do not use it.
            return [];
        }
    }
}

/// <summary>What names are examined with.</summary>
internal sealed record NameExamination
{
    /// <summary>The challenge types that may prove the name.</summary>
    public IReadOnlyList<string> ChallengeTypes { get; init; } = [];

    /// <summary>A token that only this app returns; <see langword="null"/> to request none.</summary>
    public TrialToken? Trial { get; init; }

    /// <summary>See <see cref="NameFacts.IsTellable"/>.</summary>
    public bool IsTellable { get; init; } = true;

    public required IReadOnlySet<IPAddress> Own { get; init; }

    public bool IsPublicAuthority { get; init; }

    /// <summary>The CA's names in CAA records; empty if they are not known, so that nothing can be judged.</summary>
    public IReadOnlyList<string> CaaIdentities { get; init; } = [];

    /// <summary>The URL of the account; <see langword="null"/> if there is none yet.</summary>
    public Uri? AccountUrl { get; init; }
}

/// <summary>What matters here of an HTTPS record (RFC 9460 section 2.2). Pure.</summary>
/// <param name="Priority">Zero for an alias.</param>
/// <param name="HasEch">Whether it has the parameter <c>ech</c> (RFC 9849).</param>
internal sealed record SvcbRecord(int Priority, bool HasEch)
{
    private const int EchKey = 5;

    /// <summary>Reads the data of a record. Somebody else may have written it.</summary>
    /// <returns><see langword="null"/> if it is malformed: clients ignore it, too.</returns>
    public static SvcbRecord? Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length < 3)
        {
            return null;
        }

        var priority = BinaryPrimitives.ReadUInt16BigEndian(data);
        data = data[2..];

        // The target name is never compressed.
        while (data.Length > 0 && data[0] is > 0 and < 64 && data.Length > data[0])
        {
            data = data[(data[0] + 1)..];
        }

        if (data.Length == 0 || data[0] != 0)
        {
            return null;
        }

        data = data[1..];
        var hasEch = false;
        while (data.Length >= 4)
        {
            var (key, length) = (BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[2..]));
            if (data.Length - 4 < length)
            {
                return null;
            }

            hasEch |= key == EchKey && length > 0;
            data = data[(4 + length)..];
        }

        return data.Length == 0 ? new SvcbRecord(priority, hasEch && priority > 0) : null;
    }
}
