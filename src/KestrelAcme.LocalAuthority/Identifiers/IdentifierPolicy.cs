using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Identifiers;

/// <summary>Checks the identifiers of an order. Stateless.</summary>
internal static class IdentifierPolicy
{
    private const int LongestName = 253;
    private const int LongestLabel = 63;

    /// <summary>Returns the canonical identifier, or the problem with it.</summary>
    public static (Identifier? Identifier, Problem? Problem) Check(Identifier asked) => asked.Type switch
    {
        Identifier.Dns => CheckName(asked),
        Identifier.Ip => CheckAddress(asked),
        _ => (
            null,
            Problem.Of("unsupportedIdentifier", 400, $"The identifier type '{asked.Type}' is not supported.") with { Identifier = asked }),
    };

    private static (Identifier?, Problem?) CheckName(Identifier asked)
    {
        var name = asked.Value.ToLower(CultureInfo.InvariantCulture);
        var plain = name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;
        if (FaultOf(plain) is { } fault)
        {
            return (null, Problem.RejectedIdentifier(asked, $"'{asked.Value}' is not a domain name: {fault}."));
        }

        return IPAddress.TryParse(plain, out _)
            ? (null, Problem.RejectedIdentifier(asked, $"'{asked.Value}' is an IP address: ask for it with type \"ip\"."))
            : (Identifier.OfName(name), null);
    }

    private static string? FaultOf(string name)
    {
        if (name.Length is 0 or > LongestName)
        {
            return "it must have 1 to 253 characters";
        }

        foreach (var label in name.Split('.'))
        {
            if (label.Length is 0 or > LongestLabel)
            {
                return "a label must have 1 to 63 characters";
            }

            if (label[0] == '-' || label[^1] == '-' || !label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            {
                return $"the label '{label}' has invalid characters, or starts or ends with a hyphen";
            }
        }

        return null;
    }

    private static (Identifier?, Problem?) CheckAddress(Identifier asked)
    {
        // RFC 8738 section 3 requires the textual form of RFC 5952: "127.1" or a zone index is rejected.
        var canonical = IPAddress.TryParse(asked.Value, out var address)
            && (address.AddressFamily == AddressFamily.InterNetwork || address.ScopeId == 0)
            && string.Equals(address.ToString(), asked.Value, StringComparison.OrdinalIgnoreCase);
        return canonical
            ? (Identifier.OfAddress(address!), null)
            : (null, Problem.Malformed($"'{asked.Value}' is not an IP address in canonical text form.") with { Identifier = asked });
    }
}
