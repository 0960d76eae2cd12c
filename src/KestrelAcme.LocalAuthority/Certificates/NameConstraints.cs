using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>
/// The DNS names and addresses that a root may issue for (RFC 5280 section 4.2.1.10). If its key is stolen, the machines that trust it
/// are exposed for these only. Immutable.
/// </summary>
internal sealed class NameConstraints
{
    private const string ExtensionOid = "2.5.29.30";
    private const int DnsNameTag = 2;
    private const int AddressTag = 7;

    // The names and addresses of this machine: the authority's own HTTPS uses one.
    private static readonly string[] Own = ["localhost", "127.0.0.0/8", "::1/128"];
    private static readonly Asn1Tag Permitted = new(TagClass.ContextSpecific, 0, isConstructed: true);

    private readonly string[] _names;
    private readonly IPNetwork[] _networks;

    private NameConstraints(IEnumerable<string> names, IEnumerable<IPNetwork> networks)
    {
        _names = [.. names.Distinct().Order(StringComparer.Ordinal)];
        _networks = [.. networks.Distinct().OrderBy(n => n.ToString(), StringComparer.Ordinal)];
    }

    /// <param name="permitted">Names, each including all names below it, and networks or addresses.</param>
    /// <exception cref="InvalidOperationException">An entry is none of these.</exception>
    public static NameConstraints Of(IEnumerable<string> permitted)
    {
        var (names, networks) = (new List<string>(), new List<IPNetwork>());
        foreach (var text in permitted.Concat(Own))
        {
            if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else if (IPAddress.TryParse(text, out var address))
            {
                networks.Add(new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));
            }
            else if (IdentifierPolicy.Check(Identifier.OfName(text)).Identifier is { } name
                && !name.Value.StartsWith("*.", StringComparison.Ordinal))
            {
                names.Add(name.Value);
            }
            else
            {
                throw new InvalidOperationException(
                    $"PermittedNames of the local authority: '{text}' is not a domain name, address or network. "
                    + "Write a name such as 'test' (which includes all names below it), or a network such as '10.0.0.0/8'.");
            }
        }

        return new NameConstraints(names, networks);
    }

    /// <summary>Reads the constraints of a root.</summary>
    /// <returns><see langword="null"/> if it has none: it may issue for all names.</returns>
    /// <exception cref="CryptographicException">They cannot be read.</exception>
    public static NameConstraints? In(X509Certificate2 root)
    {
        if (root.Extensions[ExtensionOid] is not { } extension)
        {
            return null;
        }

        try
        {
            var (names, networks) = (new List<string>(), new List<IPNetwork>());
            var trees = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence().ReadSequence(Permitted);
            while (trees.HasData)
            {
                var tree = trees.ReadSequence();
                if (tree.PeekTag().TagValue == DnsNameTag)
                {
                    names.Add(tree.ReadCharacterString(UniversalTagNumber.IA5String, new Asn1Tag(TagClass.ContextSpecific, DnsNameTag)));
                }
                else
                {
                    networks.Add(NetworkOf(tree.ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, AddressTag))));
                }
            }

            return new NameConstraints(names, networks);
        }
        catch (Exception e) when (e is AsnContentException or ArgumentException)
        {
            throw new CryptographicException("Its name constraints cannot be read.", e);
        }
    }

    /// <summary>Creates the critical extension.</summary>
    public X509Extension ToExtension()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(Permitted))
        {
            foreach (var name in _names)
            {
                using (writer.PushSequence())
                {
                    writer.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, DnsNameTag));
                }
            }

            foreach (var network in _networks)
            {
                using (writer.PushSequence())
                {
                    writer.WriteOctetString(AddressAndMask(network), new Asn1Tag(TagClass.ContextSpecific, AddressTag));
                }
            }
        }

        return new X509Extension(ExtensionOid, writer.Encode(), critical: true);
    }

    /// <summary>Whether the root's certificates may be for <paramref name="identifier"/>.</summary>
    public bool Permits(Identifier identifier)
        => identifier.Type == Identifier.Ip
            ? IPAddress.TryParse(identifier.Value, out var address) && _networks.Any(n => n.Contains(address))
            : _names.Any(name => identifier.Value == name || identifier.Value.EndsWith($".{name}", StringComparison.Ordinal));

    /// <summary>Whether both permit the same.</summary>
    public bool IsSameAs(NameConstraints? other) => other is not null && ToString() == other.ToString();

    /// <summary>Returns what is permitted, separated by commas.</summary>
    public override string ToString() => string.Join(", ", _names.Concat(_networks.Select(n => n.ToString())));

    private static byte[] AddressAndMask(IPNetwork network)
    {
        var address = network.BaseAddress.GetAddressBytes();
        var mask = new byte[address.Length];
        for (var bit = 0; bit < network.PrefixLength; bit++)
        {
            mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return [.. address, .. mask];
    }

    private static IPNetwork NetworkOf(byte[] addressAndMask)
    {
        var half = addressAndMask.Length / 2;
        var length = addressAndMask.Skip(half).Sum(octet => System.Numerics.BitOperations.PopCount(octet));
        return new IPNetwork(new IPAddress(addressAndMask.AsSpan(0, half)), length);
    }
}
