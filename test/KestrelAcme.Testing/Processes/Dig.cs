using System.Net;

namespace KestrelAcme.Testing.Processes;

/// <summary>The dig command, as an independent check of a DNS server's responses. Skips the running test if it is not installed.</summary>
public static class Dig
{
    /// <summary>The answers of <paramref name="server"/> as `dig +short` prints them, one per line; TXT values are quoted.</summary>
    public static async Task<IReadOnlyList<string>> QueryAsync(
        IPEndPoint server, string name, string type, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        var output = await Command.RunToSuccessAsync(
            RequireServer.Installed("dig", "bind9-dnsutils"),
            ["-r", $"@{server.Address}", "-p", $"{server.Port}", "+short", "+norecurse", "+time=3", "+tries=2", name, type],
            cancellationToken: cancellationToken);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    /// <summary>All records of a zone, in master file syntax, one per line.</summary>
    public static async Task<IReadOnlyList<string>> TransferAsync(
        IPEndPoint server, string zone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        var output = await Command.RunToSuccessAsync(
            RequireServer.Installed("dig", "bind9-dnsutils"),
            ["-r", $"@{server.Address}", "-p", $"{server.Port}", "+noall", "+answer", "+onesoa", zone, "AXFR"],
            cancellationToken: cancellationToken);
        var records = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return records.Any(record => record.Contains("SOA", StringComparison.Ordinal))
            ? records
            : throw new InvalidOperationException($"{zone} was not transferred: {output}");
    }
}
