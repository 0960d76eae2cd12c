using System.Net;
using System.Net.Sockets;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Judges what was seen of a name. Pure.</summary>
internal static class NameVerdicts
{
    public const string Dns = "dns";
    public const string Ipv6 = "ipv6";
    public const string Caa = "caa";
    public const string HttpsRecord = "https-record";

    private const string Forwarding = "have the server there pass /.well-known/acme-challenge/ on to this app";

    /// <summary>Judges where the addresses lead: IPv4 (or all of them, if there are no others) and IPv6 separately.</summary>
    public static IEnumerable<DiagnosisFinding> Addresses(NameFacts name)
    {
        if (name.Addresses.Count == 0)
        {
            yield return NoAddress(name);
            yield break;
        }

        var (ipv6, ipv4) = (name.Of(AddressFamily.InterNetworkV6), name.Of(AddressFamily.InterNetwork));
        if (ipv4.Count > 0)
        {
            yield return Judge(Dns, name, ipv4);
        }

        if (ipv6.Count > 0)
        {
            yield return Judge(Ipv6, name, ipv6);
        }
    }

    /// <summary>Judges CAA records.</summary>
    /// <param name="subject">The name.</param>
    /// <param name="set">Its records.</param>
    /// <param name="request">What is to be issued, by whom.</param>
    /// <param name="hasAccount">Whether the account is known. Otherwise records for certain accounts cannot be judged.</param>
    public static DiagnosisFinding Records(CaaSubject subject, CaaRecordSet set, CaaRequest request, bool hasAccount)
    {
        var verdict = CaaPolicy.Judge(set.Records, subject, request);
        var name = subject.ToString();
        if (verdict.Kind == CaaVerdictKind.Allowed)
        {
            return DiagnosisFinding.Ok(
                Caa, name, set.Records.Count == 0 ? "No CAA record forbids any CA." : $"The CAA records of {set.FoundAt} allow the CA.");
        }

        var owner = set.FoundAt?.ToString() ?? subject.Name;
        if (!hasAccount && CaaPolicy.NamesAccount(set.Records, subject, request.CaaIdentities))
        {
            return DiagnosisFinding.Warning(
                Caa,
                name,
                $"The CAA records of {owner} allow the CA for certain accounts only, and this app has no account yet.",
                "Start the app once to create the account, and put its URL into the accounturi parameter.");
        }

        var message = $"The CAA record set of {owner} {verdict.Reason}.";
        var fix = $"Add {CaaPolicy.RecordToAdd(owner, subject.Wildcard, request)}";
        return verdict.Kind == CaaVerdictKind.Forbidden && set.IsAuthoritative
            ? DiagnosisFinding.Error(Caa, name, message, fix)
            : DiagnosisFinding.Warning(Caa, name, $"{message} That is not certain: no name server of the zone confirmed it.", fix);
    }

    /// <summary>
    /// Judges HTTPS records (RFC 9460): with Encrypted Client Hello (RFC 9849), clients use keys that .NET does not have.
    /// </summary>
    public static DiagnosisFinding Https(NameFacts name, IReadOnlyList<SvcbRecord> records)
    {
        if (!records.Any(r => r.HasEch))
        {
            return DiagnosisFinding.Ok(
                HttpsRecord, name.Name, records.Count == 0 ? "There is none." : "It promises nothing that Kestrel cannot do.");
        }

        const string fix = "Remove the ech parameter from the HTTPS record, unless a proxy that supports ECH ends TLS for this name.";
        return name.IsHere
            ? DiagnosisFinding.Error(
                HttpsRecord,
                name.Name,
                "The HTTPS record promises Encrypted Client Hello, which .NET does not support: browsers that use it cannot connect.",
                fix)
            : DiagnosisFinding.Warning(
                HttpsRecord,
                name.Name,
                "The HTTPS record promises Encrypted Client Hello. .NET does not support it: it works only if a proxy ends TLS.",
                fix);
    }

    private static DiagnosisFinding NoAddress(NameFacts name)
        => name.IsProvenByDns
            ? DiagnosisFinding.Ok(Dns, name.Name, "It has no A or AAAA record. The DNS challenge needs none; clients do.")
            : DiagnosisFinding.Error(
                Dns,
                name.Name,
                name.Exists ? "It has no A or AAAA record." : "It does not exist in DNS.",
                $"Create an A record for {name.Name} with the public address of this app, or remove the name from AcmeHttps.");

    private static DiagnosisFinding Judge(string check, NameFacts name, IReadOnlyList<AddressSight> sights)
    {
        var record = check == Ipv6 ? "AAAA" : "A";
        if (sights.Where(s => s.Probe?.ForeignResponse is not null).ToList() is { Count: > 0 } foreign)
        {
            return Foreign(check, record, name, foreign);
        }

        if (sights.All(s => s.Place == AddressPlace.Loopback))
        {
            return name.IsPublicAuthority
                ? DiagnosisFinding.Warning(
                    check,
                    name.Name,
                    $"{Text(sights)} is this machine's own loopback address, which no CA on the Internet can reach.",
                    $"Set the {record} record to the public address of this app. If only this machine sees the loopback address "
                    + "(hosts file, internal DNS), ignore this.")
                : DiagnosisFinding.Ok(check, name.Name, $"{Text(sights)} is this machine.");
        }

        if (sights.All(s => s.Probe is { IsOurs: true }))
        {
            return DiagnosisFinding.Ok(check, name.Name, $"{Text(sights)} leads to this app.");
        }

        if (sights.All(s => s.Place == AddressPlace.Own || s.Probe is { IsOurs: true }))
        {
            var silent = sights.Where(s => s.Probe?.Silence is not null).ToList();
            return silent.Count > 0 && name.NeedsPort80
                ? DiagnosisFinding.Error(
                    check,
                    name.Name,
                    $"{Text(silent)} is this machine, but port 80 there {silent[0].Probe!.Silence}.",
                    "Let the app listen on port 80, or forward port 80 to the port where it listens, and open it in the firewall.")
                : DiagnosisFinding.Ok(check, name.Name, $"{Text(sights)} is this machine.");
        }

        return Unclear(check, record, name, [.. sights.Where(s => s.Place != AddressPlace.Own && s.Probe is not { IsOurs: true })]);
    }

    private static DiagnosisFinding Foreign(string check, string record, NameFacts name, List<AddressSight> foreign)
    {
        var message = $"{Text(foreign)} responds, but not as this app: it {(foreign.Count == 1 ? "" : "first ")}"
            + $"responds with {foreign[0].Probe!.ForeignResponse}.";
        var first = check == Ipv6 ? "CAs and browsers try IPv6 first. Remove" : "Change";
        var fix = $"{first} the {record} record of {name.Name}, or {Forwarding}.";
        return name.IsProvenByDns || !name.IsTellable
            ? DiagnosisFinding.Warning(check, name.Name, message, name.IsTellable ? fix : $"If that is not this app: {fix}")
            : DiagnosisFinding.Error(check, name.Name, message, fix);
    }

    private static DiagnosisFinding Unclear(string check, string record, NameFacts name, List<AddressSight> sights)
    {
        if (name.IsPublicAuthority && sights.TrueForAll(s => s.Place == AddressPlace.Private))
        {
            return DiagnosisFinding.Warning(
                check,
                name.Name,
                $"{Text(sights)} is a private address, which no CA on the Internet can reach.",
                $"Set the {record} record to the public address. If public DNS shows another address than this network's, ignore this.");
        }

        var silence = sights.Select(s => s.Probe?.Silence).FirstOrDefault(s => s is not null);
        return DiagnosisFinding.Warning(
            check,
            name.Name,
            $"{Text(sights)} is not an address of this machine{(silence is null ? "" : $", and port 80 there {silence}")}. "
            + "Behind NAT or a load balancer that is normal.",
            $"Make sure that it is the public address of this app, with ports 80 and 443; otherwise change the {record} record.");
    }

    private static string Text(IReadOnlyList<AddressSight> sights) => string.Join(", ", sights.Select(s => s.Address.ToString()));
}

/// <summary>What was seen of a name.</summary>
internal sealed record NameFacts
{
    /// <summary>The name, without <c>*.</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The challenge types that may prove it.</summary>
    public required IReadOnlyList<string> ChallengeTypes { get; init; }

    /// <summary>Whether DNS knows the name.</summary>
    public bool Exists { get; init; } = true;

    public IReadOnlyList<AddressSight> Addresses { get; init; } = [];

    /// <summary>Whether a CA on the Internet connects to the name.</summary>
    public bool IsPublicAuthority { get; init; }

    /// <summary>
    /// Whether a wrong response is certainly not that of this app. It may be if another process listens in its place, which does not know
    /// the token.
    /// </summary>
    public bool IsTellable { get; init; } = true;

    /// <summary>Whether a DNS challenge may prove it.</summary>
    public bool IsProvenByDns => ChallengeTypes.Any(t => t is not (Http01TokenTable.Type or "tls-alpn-01"));

    /// <summary>Whether only a connection to port 80 proves it.</summary>
    public bool NeedsPort80 => ChallengeTypes.All(t => t == Http01TokenTable.Type);

    /// <summary>Whether an address leads to this machine.</summary>
    public bool IsHere => Addresses.Any(a => a.Place is AddressPlace.Own or AddressPlace.Loopback);

    public IReadOnlyList<AddressSight> Of(AddressFamily family) => [.. Addresses.Where(a => a.Address.AddressFamily == family)];
}

/// <summary>An address of a name.</summary>
/// <param name="Address">The address.</param>
/// <param name="Place">Where it is.</param>
/// <param name="Probe">What port 80 there returned for a token of this app; <see langword="null"/> if it was not requested.</param>
internal sealed record AddressSight(IPAddress Address, AddressPlace Place, TokenProbeResult? Probe);

/// <summary>Where an address is.</summary>
internal enum AddressPlace
{
    Elsewhere,
    Own,
    Loopback,
    Private,
}

/// <summary>Finds out where an address is. Pure.</summary>
internal static class AddressPlaces
{
    public static AddressPlace Of(IPAddress address, IReadOnlySet<IPAddress> own)
        => GuardedConnection.IsThisMachine(address) ? AddressPlace.Loopback
            : own.Contains(address) ? AddressPlace.Own
            : IsPrivate(address) || GuardedConnection.IsLinkLocal(address) ? AddressPlace.Private
            : AddressPlace.Elsewhere;

    private static bool IsPrivate(IPAddress address)
        => address.AddressFamily == AddressFamily.InterNetworkV6
            ? address.IsIPv6UniqueLocal
            : address.GetAddressBytes() is [10, ..] or [172, >= 16 and <= 31, ..] or [192, 168, ..] or [100, >= 64 and <= 127, ..];
}
