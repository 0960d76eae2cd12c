using System.Buffers.Text;
using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Places;

/// <summary>Asks DNS for a name's addresses, and at each of them for a token that only we, and the instances with the same store, know.</summary>
internal sealed class NameRouting(DnsAccess dns, Http01TokenTable tokens, TokenProbe probe, ConfigurationSource configuration) : INamePlaces
{
    private const int MaxAddresses = 8;
    private const int TokenBytes = 32;

    public async Task<NamePlace> FindAsync(CertificateIdentifier name, bool provenByDns, CancellationToken cancellationToken)
    {
        if (name.Kind == IdentifierKind.Ip)
        {
            return await FindAsync(name.Value, [IPAddress.Parse(name.Value)], cancellationToken);
        }

        try
        {
            var owner = DnsName.Parse(name.BaseValue);
            DnsResponse[] answers = [await dns.Requestor.ResolveAsync(owner, DnsRecordType.A, cancellationToken), await dns.Requestor.ResolveAsync(owner, DnsRecordType.AAAA, cancellationToken)];
            if (provenByDns)
            {
                return Array.TrueForAll(answers, a => a is { Code: DnsResponseCode.NXDOMAIN, Answers.Count: 0 }) ? NamePlace.Gone : NamePlace.Undecided;
            }

            var addresses = answers.SelectMany(a => a.RecordsOf<AddressRecord>()).Select(r => r.Address).Take(MaxAddresses).ToList();
            return addresses.Count == 0 ? NamePlace.Gone : await FindAsync(name.Value, addresses, cancellationToken);
        }
        catch (DnsException)
        {
            return NamePlace.Unknown;
        }
    }

    private async Task<NamePlace> FindAsync(string host, IReadOnlyList<IPAddress> addresses, CancellationToken cancellationToken)
    {
        var own = OwnAddresses();
        if (addresses.Any(a => GuardedConnection.IsThisMachine(a) || own.Contains(Plain(a))))
        {
            return NamePlace.Here;
        }

        return configuration.Current.SelfCheck ? await AskAsync(host, addresses, cancellationToken) : NamePlace.Undecided;
    }

    private async Task<NamePlace> AskAsync(string host, IReadOnlyList<IPAddress> addresses, CancellationToken cancellationToken)
    {
        var (token, answer) = (RandomText(), RandomText());
        await tokens.AddAsync(token, answer, cancellationToken);
        try
        {
            var foreign = 0;
            foreach (var address in addresses)
            {
                var result = await probe.AskAsync(new IPEndPoint(address, TokenProbe.AuthoritysPort), host, token, answer, cancellationToken);
                if (result.IsOurs)
                {
                    return NamePlace.Here;
                }

                foreign += result.ForeignAnswer is null ? 0 : 1;
            }

            return foreign == addresses.Count ? NamePlace.Elsewhere : NamePlace.Undecided;
        }
        finally
        {
            await tokens.RemoveAsync(token, CancellationToken.None);
        }
    }

    private static HashSet<IPAddress> OwnAddresses()
        => [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => Plain(a.Address))];

    // Link-local addresses are listed with the interface they belong to; DNS knows none.
    private static IPAddress Plain(IPAddress address) => new(address.IsIPv4MappedToIPv6 ? address.MapToIPv4().GetAddressBytes() : address.GetAddressBytes());

    private static string RandomText() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
}
