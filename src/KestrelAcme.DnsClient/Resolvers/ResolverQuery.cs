using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Transport;

namespace KestrelAcme.DnsClient.Resolvers;

/// <summary>Sends a query to several resolvers in turn.</summary>
internal sealed class ResolverQuery(
    DnsTransport transport, SilentServers silent, TimeProvider timeProvider, Func<IReadOnlyList<IPEndPoint>> resolvers)
{
    private const int Rounds = 2;

    // A resolver that has just failed for a name fails again at once; a moment later, its upstream servers may have responded.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);

    public async Task<DnsResponse> SendAsync(DnsQuestion question, CancellationToken cancellationToken)
    {
        IReadOnlyList<IPEndPoint> servers = resolvers();
        var failures = new DnsServerFailure[servers.Count];
        for (int round = 0; round < Rounds; round++)
        {
            long start = timeProvider.GetTimestamp();
            foreach (int i in Enumerable.Range(0, servers.Count).OrderBy(i => silent.Contains(servers[i])).ToArray())
            {
                (DnsResponse? answer, DnsServerFailure? failure) =
                    await AskAsync(servers[i], question, cancellationToken).ConfigureAwait(false);
                if (failure is null)
                {
                    return answer!;
                }

                failures[i] = failure;
            }

            if (round < Rounds - 1 && Pause - timeProvider.GetElapsedTime(start) is { Ticks: > 0 } rest)
            {
                await Task.Delay(rest, timeProvider, cancellationToken).ConfigureAwait(false);
            }
        }

        throw new DnsResolutionException(question.Name, question.Type, failures);
    }

    private async Task<(DnsResponse? Answer, DnsServerFailure? Failure)> AskAsync(
        IPEndPoint server, DnsQuestion question, CancellationToken cancellationToken)
    {
        try
        {
            DnsResponse response = await transport.QueryAsync(server, question, recursionDesired: true, insist: false, cancellationToken)
                .ConfigureAwait(false);
            silent.Remove(server);
            if (response.Code is not (DnsResponseCode.NOERROR or DnsResponseCode.NXDOMAIN))
            {
                return (null, new DnsServerFailure(server, $"{server} answered {response.Code}.", response.Code));
            }

            return response.IsReferral
                ? (null, new DnsServerFailure(server, $"{server} is not a resolver: it only refers to other servers.", response.Code))
                : (response, null);
        }
        catch (DnsException cause)
        {
            if (cause is DnsTimeoutException)
            {
                silent.Add(server);
            }

            return (null, new DnsServerFailure(server, cause.Message, Code: null));
        }
    }
}
