using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Http01;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Judges what was seen of the app's own endpoints. Pure.</summary>
internal static class ServerVerdicts
{
    public const string Http = "http";
    public const string Https = "https";
    public const string Token = "token";
    public const string Served = "served";
    public const string Hsts = "hsts";

    private const string StopIt = "If that is this app, all is well. Otherwise stop the other process, or listen on another port.";

    /// <summary>Judges where the server listens.</summary>
    public static IEnumerable<DiagnosisFinding> Endpoints(ServerFacts server)
    {
        if (server.StartFailure is { } reason)
        {
            yield return DiagnosisFinding.Error(
                Https, null, $"The server did not start: {reason}", "Correct the endpoints: urls, Kestrel:Endpoints, or code.");
            yield break;
        }

        foreach (var (endpoint, isTaken, why) in server.NotBound)
        {
            yield return isTaken
                ? DiagnosisFinding.Warning(Port(endpoint, server), null, $"Another process listens on {endpoint}.", StopIt)
                : DiagnosisFinding.Error(
                    Port(endpoint, server), null, $"The app cannot listen on {endpoint}: {why}.",
                    "Ports below 1024 need CAP_NET_BIND_SERVICE, or a port above 1024 to which 80 and 443 are forwarded.");
        }

        // An endpoint that could not be bound is listed among the addresses, too.
        foreach (var finding in new[] { JudgeHttps(server), JudgeHttp(server) }
            .Where(f => f.Level != DiagnosisLevel.Ok || !server.NotBound.Any(n => Port(n.EndPoint, server) == f.Check)))
        {
            yield return finding;
        }
    }

    /// <summary>Judges what the app's own plain HTTP endpoint returned for a token.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="result">Its response.</param>
    /// <param name="isOther">Whether another process listens there.</param>
    public static DiagnosisFinding Loopback(IPEndPoint endpoint, TokenProbeResult result, bool isOther)
        => result.IsOurs
            ? DiagnosisFinding.Ok(Token, null, $"{endpoint} returns a token of this app.")
            : isOther
                ? DiagnosisFinding.Warning(
                    Token, null, $"{endpoint} {result}: another process listens there, which does not know this token.", StopIt)
                : DiagnosisFinding.Error(
                    Token, null, $"{endpoint} {result}, not the token of this app.",
                    "Check what answers before the app on this port: a proxy, a firewall, or the middleware of an IStartupFilter.");

    /// <summary>Judges the certificate that an endpoint serves for a name.</summary>
    public static DiagnosisFinding? Handshake(string name, ServedFacts served)
    {
        if (served.Failure is { } failure)
        {
            return served.Expected.Count == 0
                ? null
                : DiagnosisFinding.Warning(
                    Served, name, $"{served.EndPoint} did not complete a TLS handshake: {failure}",
                    "If the endpoint requires client certificates, ignore this; otherwise check its HTTPS options.");
        }

        if (served.SerialNumber is not { } serial)
        {
            return null;
        }

        if (served.Expected.Contains(serial, StringComparer.OrdinalIgnoreCase))
        {
            return DiagnosisFinding.Ok(Served, name, $"{served.EndPoint} serves its certificate.");
        }

        return served is { Expected.Count: 0, IsSelfSigned: true }
            ? DiagnosisFinding.Ok(Served, name, $"{served.EndPoint} serves a placeholder until there is a certificate.")
            : DiagnosisFinding.Error(
                Served, name, $"{served.EndPoint} serves another certificate ({served.Subject}), which hides that of KestrelAcme.",
                "Remove the name from the Sni section, or the certificate from the endpoint; in code, call "
                + "httpsOptions.UseAcmeHttps(services).");
    }

    /// <summary>Judges whether browsers are told to insist on HTTPS while they cannot verify it.</summary>
    /// <param name="name">The name.</param>
    /// <param name="hasCertificate">Whether it has a certificate.</param>
    /// <param name="header">The header <c>Strict-Transport-Security</c>.</param>
    public static DiagnosisFinding? Insistence(string name, bool hasCertificate, string? header)
        => hasCertificate || header is null
            ? null
            : DiagnosisFinding.Warning(
                Hsts, name,
                "The app sends Strict-Transport-Security while it serves a placeholder: browsers that know it show no way past.",
                "Call UseHsts only once the certificate is there, or obtain it before you send clients here.");

    private static DiagnosisFinding JudgeHttps(ServerFacts server)
    {
        var addresses = server.Of("https://");
        return addresses.Count == 0
            ? DiagnosisFinding.Error(
                Https, null, "The app has no https:// endpoint.", "Add one, such as ASPNETCORE_URLS='http://+:80;https://+:443'.")
            : !server.AnyIsOurs
                ? DiagnosisFinding.Error(
                    Https, null, $"{Text(addresses)}: no endpoint serves KestrelAcme's certificates, because each has its own.",
                    "Remove the certificates from Kestrel:Endpoints; in code, call httpsOptions.UseAcmeHttps(services).")
                : DiagnosisFinding.Ok(
                    Https, null, $"Listens on {Text(addresses)}{Forwarded(addresses, 443)}.");
    }

    private static DiagnosisFinding JudgeHttp(ServerFacts server)
    {
        var addresses = server.Of("http://");
        return addresses.Count > 0
            ? DiagnosisFinding.Ok(Http, null, $"Listens on {Text(addresses)}{Forwarded(addresses, 80)}.")
            : server.NeedsPort80
                ? DiagnosisFinding.Error(
                    Http, null, "The app has no http:// endpoint, and http-01 is the only challenge type: the CA connects to port 80.",
                    "Add http://+:80 to the addresses, or use another of the ChallengeTypes.")
                : DiagnosisFinding.Ok(Http, null, "There is no http:// endpoint, and no challenge needs one.");
    }

    private static string Port(EndPoint endpoint, ServerFacts server)
        => endpoint is IPEndPoint ip && server.Of("http://").Any(a => a.EndsWith($":{ip.Port}", StringComparison.Ordinal)) ? Http : Https;

    private static string Forwarded(IReadOnlyList<string> addresses, int port)
        => addresses.Any(a => Uri.TryCreate(a.Replace("+", "0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out var url)
            && url.Port == port)
            ? ""
            : $"; port {port} of the public address must lead there";

    private static string Text(IReadOnlyList<string> addresses) => string.Join(", ", addresses);
}

/// <summary>What was seen of the server.</summary>
internal sealed record ServerFacts
{
    /// <summary>Where it listens, as URLs.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Where it should listen and does not: whether another process does, and why.</summary>
    public IReadOnlyList<(EndPoint EndPoint, bool IsTaken, string Reason)> NotBound { get; init; } = [];

    /// <summary>Why it did not start.</summary>
    public string? StartFailure { get; init; }

    /// <summary>Whether an endpoint serves KestrelAcme's certificates.</summary>
    public bool AnyIsOurs { get; init; }

    /// <summary>Whether there is a certificate that only http-01 proves.</summary>
    public bool NeedsPort80 { get; init; }

    public IReadOnlyList<string> Of(string scheme)
        => [.. Addresses.Where(a => a.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))];
}

/// <summary>What a TLS handshake with an own endpoint showed.</summary>
internal sealed record ServedFacts
{
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>The serial numbers of the certificates for the name.</summary>
    public IReadOnlyList<string> Expected { get; init; } = [];

    /// <summary>The serial number of the certificate that was served; <see langword="null"/> if there was none.</summary>
    public string? SerialNumber { get; init; }

    public string? Subject { get; init; }

    public bool IsSelfSigned { get; init; }

    /// <summary>Why there was no handshake.</summary>
    public string? Failure { get; init; }

    /// <summary>The header <c>Strict-Transport-Security</c> of a response.</summary>
    public string? Hsts { get; init; }
}
