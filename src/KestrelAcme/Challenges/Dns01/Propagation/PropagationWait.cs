using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>Waits until a record is visible: at every name server of its zone, queried directly, or at the resolvers.</summary>
internal sealed class PropagationWait(DnsAccess dns, TimeProvider time, ILogger<PropagationWait> logger)
{
    /// <returns>When the record was seen everywhere; the minimum wait may have taken longer.</returns>
    /// <exception cref="ChallengeException">The record did not become visible in time; the message says where it is missing.</exception>
    public async Task<long> RunAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var specification = prepared.Provider.Specification;
        var least = specification.MinimumWait;
        if (specification.PropagationCheck == DnsPropagationCheck.Resolvers)
        {
            await AskResolversAsync(prepared, cancellationToken);
        }
        else if (!await AskServersAsync(prepared, cancellationToken) && least < PropagationPolicy.LeastWaitWithoutServers)
        {
            least = PropagationPolicy.LeastWaitWithoutServers;
        }

        var seenAt = time.GetTimestamp();
        var rest = least - time.GetElapsedTime(prepared.CreatedAt);
        if (rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, time, cancellationToken);
        }

        return seenAt;
    }

    /// <summary>
    /// Queries once for a record that was seen before, and returns whether it was removed since. Servers that do not respond are ignored.
    /// </summary>
    public async Task<bool> IsGoneAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var watches = prepared.Provider.Specification.PropagationCheck == DnsPropagationCheck.Resolvers ? [] : Watch(prepared);
        await Task.WhenAll(watches.Select(watch => watch.PollAsync(prepared.Location.Name, cancellationToken)));
        if (watches.Any(watch => watch.WasAuthority))
        {
            return watches.Any(watch => watch.WasAuthority && watch.State != ServerState.Visible);
        }

        return await AskResolverAsync(prepared, cancellationToken) is { Visible: false, Answered: true };
    }

    /// <summary>Queries each server once, and describes what it shows.</summary>
    public async Task<string> DescribeAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var watches = Watch(prepared);
        await Task.WhenAll(watches.Select(watch => watch.PollAsync(prepared.Location.Name, cancellationToken)));
        var seen = watches.Length > 0
            ? string.Join("; ", watches.Select(w => w.Report))
            : (await AskResolverAsync(prepared, cancellationToken)).Report;
        return $"Seen from this machine, the TXT record {prepared.Record.Name} in zone {prepared.Record.Zone}: {seen}.";
    }

    private ServerWatch[] Watch(PreparedRecord prepared)
    {
        var client = dns.Client;
        return
        [
            .. from server in prepared.Location.Servers
               from endPoint in server.EndPoints.Distinct()
               select new ServerWatch(client, time, server.Name.ToString(), endPoint, prepared.Record.Value, prepared.Location.Zone),
        ];
    }

    /// <returns>
    /// <see langword="true"/> if the servers show the record; <see langword="false"/>
    /// if only the resolvers do, because no server responds with authority.
    /// </returns>
    private async Task<bool> AskServersAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var (location, specification) = (prepared.Location, prepared.Provider.Specification);
        var watches = Watch(prepared);
        var resolverReport = "";
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var noAuthority = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var polling = Task.WhenAll(
            [AskResolversInsteadAsync(), .. watches.Select(watch => PollAsync(watch, location.Name, Look, stop.Token))]);
        Look();
        try
        {
            var byServers = await done.Task.WaitAsync(specification.PropagationTimeout, time, cancellationToken);
            Report(prepared, watches, byServers ? null : resolverReport);
            return byServers;
        }
        catch (TimeoutException)
        {
            throw NotVisible(prepared, watches, resolverReport, specification.PropagationTimeout);
        }
        finally
        {
            await stop.CancelQuietlyAsync();
            await polling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        void Look()
        {
            if (PropagationPolicy.IsVisible(watches.Select(w => w.State), specification.RequireEveryServer))
            {
                done.TrySetResult(true);
            }
            else if (PropagationPolicy.NoneIsAuthority(watches.Select(w => w.State)))
            {
                noAuthority.TrySetResult();
            }
        }

        async Task AskResolversInsteadAsync()
        {
            await noAuthority.Task.WaitAsync(stop.Token);
            if (specification.RequireEveryServer)
            {
                done.TrySetException(NotVisible(prepared, watches, resolverReport, time.GetElapsedTime(prepared.CreatedAt)));
                return;
            }

            var report = location.WhyNoServers?.TrimEnd('.') ?? string.Join("; ", watches.Select(w => w.Report));
            var least = PropagationPolicy.LeastWaitWithoutServers.TotalSeconds;
            logger.DnsServersUnusable(location.Name.ToString(), prepared.Record.Zone, report, least);
            var start = time.GetTimestamp();
            var answeredAt = start;
            while (!done.Task.IsCompleted)
            {
                (var visible, var answered, resolverReport) = await AskResolverAsync(prepared, stop.Token);
                answeredAt = answered ? time.GetTimestamp() : answeredAt;
                if (time.GetElapsedTime(answeredAt) >= PropagationPolicy.ResolverPatience)
                {
                    done.TrySetException(NotVisible(prepared, watches, resolverReport, time.GetElapsedTime(prepared.CreatedAt)));
                }
                else if (visible && PropagationPolicy.NoneIsAuthority(watches.Select(w => w.State)))
                {
                    // If a server is back, for example after a restart, it must show the record.
                    done.TrySetResult(false);
                }

                await Task.Delay(PropagationPolicy.NextPause(time.GetElapsedTime(start)), time, stop.Token);
            }
        }
    }

    private async Task PollAsync(ServerWatch watch, DnsName name, Action looked, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            await watch.PollAsync(name, cancellationToken);
            looked();
            if (watch.State == ServerState.Visible)
            {
                return;
            }

            await Task.Delay(PropagationPolicy.NextPause(time.GetElapsedTime(start)), time, cancellationToken);
        }
    }

    private async Task AskResolversAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var timeout = prepared.Provider.Specification.PropagationTimeout;
        using var limit = new TimeLimit(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var start = time.GetTimestamp();
        var last = "no resolver has responded";
        try
        {
            while (true)
            {
                (var visible, _, last) = await AskResolverAsync(prepared, both.Token);
                if (visible)
                {
                    logger.DnsRecordVisible(prepared.Record.Name, last, time.GetElapsedTime(prepared.CreatedAt).TotalSeconds);
                    return;
                }

                await Task.Delay(PropagationPolicy.NextPause(time.GetElapsedTime(start)), time, both.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw NotVisible(prepared, timeout, last, advice: "", passing: false);
        }
    }

    private async Task<(bool Visible, bool Answered, string Report)> AskResolverAsync(
        PreparedRecord prepared, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Client.ResolveAsync(prepared.Location.Name, DnsRecordType.TXT, cancellationToken);
            var values = response.RecordsOf<TxtRecord>();
            return values.Any(record => record.Text == prepared.Record.Value)
                ? (true, true, $"the resolver {response.Server}")
                : (false, true, $"the resolver {response.Server} responds with {response.Code} and {values.Count} other values" +
                    Kept(response, prepared.Location));
        }
        catch (DnsException exception)
        {
            return (false, false, exception.Message.TrimEnd('.'));
        }
    }

    /// <summary>Describes how long a resolver may cache a response from before the record was created.</summary>
    private static string Kept(DnsResponse response, ChallengeRecordLocation location)
    {
        if (response.Answers.OfType<CnameRecord>().FirstOrDefault(record => record.Name == location.Name) is { } alias)
        {
            return $", from the CNAME to {alias.Target}, which it may cache for {alias.TimeToLive.TotalSeconds:0} s";
        }

        return response.Answers.Count == 0 && response.Authority.OfType<SoaRecord>().FirstOrDefault() is { } soa
            ? $", which it may cache for {Math.Min(soa.TimeToLive.TotalSeconds, soa.Minimum):0} s"
            : "";
    }

    private void Report(PreparedRecord prepared, ServerWatch[] watches, string? resolver)
    {
        foreach (var watch in watches.Where(w => w.State != ServerState.Visible && resolver is null))
        {
            logger.DnsServerTolerated(prepared.Record.Zone, watch.Report);
        }

        var count = watches.Count(w => w.State == ServerState.Visible);
        var servers = resolver ?? $"{count} name server address{(count == 1 ? "" : "es")} of zone {prepared.Record.Zone}";
        logger.DnsRecordVisible(prepared.Record.Name, servers, time.GetElapsedTime(prepared.CreatedAt).TotalSeconds);
    }

    private static ChallengeException NotVisible(
        PreparedRecord prepared, ServerWatch[] watches, string resolverReport, TimeSpan waited)
    {
        var zone = prepared.Record.Zone;
        string[] reports =
        [
            prepared.Location.WhyNoServers?.TrimEnd('.') ?? "",
            .. watches.Where(w => w.State != ServerState.Visible).Select(w => w.Report),
            resolverReport,
        ];
        var advice = Array.Exists(watches, w => w.WasAuthority) ? ""
            : prepared.Location.Doubt is { } doubt ? $" {doubt}"
            : $" From this machine, no name server of zone {zone} responds with authority. If port 53 is blocked or intercepted in this " +
                $"network, set PropagationCheck: Resolvers for the DNS provider; otherwise check the NS records of {zone}.";
            var passing = prepared.Location.Doubt is not null || Array.TrueForAll(watches, w => w.IsSilent);
        return NotVisible(prepared, waited, string.Join("; ", reports.Where(report => report.Length > 0)), advice, passing);
    }

    private static ChallengeException NotVisible(
        PreparedRecord prepared, TimeSpan waited, string missing, string advice, bool passing) => new(
        $"{prepared.Record.ChallengeName}: the TXT record {prepared.Record.Name} in zone {prepared.Record.Zone}, " +
        $"created by {prepared.Provider.Provider.Description}, " +
        $"was not visible everywhere within {TimeSpan.FromSeconds(Math.Ceiling(waited.TotalSeconds)):c}: {missing}.{advice} " +
        "The challenge was not submitted to the CA.")
    {
        Fault = passing ? ChallengeFault.Local : ChallengeFault.Name,
    };
}
