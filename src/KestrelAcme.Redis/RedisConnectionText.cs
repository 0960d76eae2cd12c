using System.Net;
using StackExchange.Redis;

namespace KestrelAcme.Redis;

/// <summary>Reads connection strings, and shows endpoints. No message quotes a connection string: any part may be a password.</summary>
internal static class RedisConnectionText
{
    private const string Example = "'redis.example.com:6380,ssl=true,user=kestrelacme,password=...'";
    private const string Parameter = "connectionString";
    private const int DefaultPort = 6379;
    private const int DefaultTlsPort = 6380;
    private const int MostShown = 3;

    /// <summary>Parses a connection string.</summary>
    /// <exception cref="ArgumentException">It cannot be used; says why and what to do, but never quotes it.</exception>
    public static ConfigurationOptions Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            throw Wrong(
                "is missing: if it comes from the configuration, set the value that is read, such as ConnectionStrings:redis, to one like");
        }

        if (text.Contains("://", StringComparison.Ordinal))
        {
            throw Wrong("is a URL, which StackExchange.Redis does not read: write it like");
        }

        if (HasAddressAfterOption(text))
        {
            throw Wrong(
                "has an address after an option, as happens if a password contains a comma. Set such a password with "
                + "ConfigurationOptions.Password instead; otherwise put the addresses first, like");
        }

        try
        {
            var options = ConfigurationOptions.Parse(text);
            ThrowIfInvalid(options.EndPoints, Parameter);
            return options;
        }
        catch (Exception exception) when (exception is not ArgumentException { ParamName: Parameter })
        {
            // The cause is left out: it quotes what it could not read.
            throw Wrong(
                "cannot be read: an option is unknown or has a wrong value, or a password contains a comma. "
                + "Set such a password with ConfigurationOptions.Password instead; otherwise write it like");
        }
    }

    /// <summary>Throws if there is no endpoint, or one that is not a host and a port.</summary>
    /// <exception cref="ArgumentException">An endpoint is missing or cannot be used.</exception>
    public static void ThrowIfInvalid(IReadOnlyCollection<EndPoint> endpoints, string parameter)
    {
        if (endpoints.Count == 0 || !endpoints.All(IsPlain))
        {
            throw Wrong("needs addresses, each a host name or an IP address with an optional port, like", parameter);
        }
    }

    /// <summary>Shows endpoints, without anything that might be a credential.</summary>
    public static string Show(IReadOnlyCollection<EndPoint> endpoints, bool tls)
    {
        var shown = endpoints.Where(IsPlain).Select(endpoint => Show(endpoint, tls)).ToList();
        return shown.Count == 0 ? "the app's connection"
            : shown.Count <= MostShown ? string.Join(", ", shown)
            : $"{string.Join(", ", shown.Take(MostShown))} and {shown.Count - MostShown} more";
    }

    private static string Show(EndPoint endpoint, bool tls) => endpoint switch
    {
        DnsEndPoint dns => $"{dns.Host}:{PortOf(dns.Port, tls)}",
        IPEndPoint ip => new IPEndPoint(ip.Address, PortOf(ip.Port, tls)).ToString(),
        _ => endpoint.ToString() ?? "",
    };

    private static int PortOf(int port, bool tls) => port != 0 ? port : tls ? DefaultTlsPort : DefaultPort;

    private static bool IsPlain(EndPoint endpoint)
        => endpoint is not DnsEndPoint dns || dns.Host.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_');

    private static bool HasAddressAfterOption(string text)
    {
        var afterOption = false;
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            // Maps of commands, such as $INFO=, are options, too.
            var isOption = part.Contains('=', StringComparison.Ordinal);
            if (afterOption && !isOption)
            {
                return true;
            }

            afterOption |= isOption;
        }

        return false;
    }

    private static ArgumentException Wrong(string reason, string parameter = Parameter)
        => new($"The connection to Redis {reason} {Example}.", parameter);
}
