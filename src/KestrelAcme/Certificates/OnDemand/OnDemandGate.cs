using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Holds connections while a certificate for their name is obtained: one attempt for all that ask for the same name, a bounded number of
/// connections, and a memory of the names that were denied.
/// </summary>
/// <remarks>Safe for concurrent use. Everything that strangers can make it do is bounded in number, memory and time.</remarks>
internal sealed class OnDemandGate(
    OnDemandNames names, OnDemandCertificates certificates, OnDemandIssuance issuance, DeniedNames denied,
    ConfigurationSource configuration, AcmeHttpsMetrics metrics, TimeProvider time) : IOnDemandGate
{
    // What a ClientHello takes, on average; the largest have 64 KB.
    private const long BytesPerConnection = 8 * 1024;
    private const long LargestHello = 128 * 1024;

    private readonly ConcurrentDictionary<string, Flight> _flights = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private int _waiting;
    private int _asking;
    private long _bytes;

    /// <summary>The number of connections that wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>The number of attempts under way.</summary>
    public int Flights => _flights.Count;

    /// <inheritdoc/>
    public bool AllowsAddresses => configuration.Current.OnDemand is { AllowIpAddresses: true };

    /// <inheritdoc/>
    public bool Concerns(string name, string? managed)
        => managed is null || (names.Find(managed) is not null && !certificates.IsConfigured(managed));

    /// <inheritdoc/>
    public async Task<bool> WaitAsync(string name, IPAddress? client, long length, CancellationToken gone)
    {
        if (configuration.Current.OnDemand is not { } demand || _stopping.IsCancellationRequested)
        {
            return false;
        }

        if (denied.Contains(name))
        {
            metrics.OnDemandAsked(OnDemandOutcomes.KnownDenied);
            return false;
        }

        if (!TryEnter(demand.MaxWaiting, length))
        {
            denied.Refused(name, "too many connections wait");
            metrics.OnDemandAsked(OnDemandOutcomes.Full);
            return false;
        }

        try
        {
            return await WaitAsync(name, client, demand, gone);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            Interlocked.Add(ref _bytes, -length);
        }
    }

    /// <summary>Ends all waiting. Orders under way are finished or resumed as at every stop.</summary>
    public void Stop()
    {
        _stopping.CancelQuietly();
        foreach (var flight in _flights.Values)
        {
            flight.Land(OnDemandResult.Missing);
        }
    }

    private async Task<bool> WaitAsync(string name, IPAddress? client, OnDemandSpecification demand, CancellationToken gone)
    {
        if (Join(name, client, demand) is not { } flight)
        {
            denied.Refused(name, "too many names are asked about");
            metrics.OnDemandAsked(OnDemandOutcomes.Full);
            return false;
        }

        var started = time.GetTimestamp();
        var (outcome, result) = (OnDemandOutcomes.GaveUp, OnDemandResult.Missing);
        try
        {
            result = await flight.Landed.WaitAsync(demand.Wait, time, gone);
            outcome = result switch
            {
                OnDemandResult.Served => OnDemandOutcomes.Served,
                OnDemandResult.Missing => OnDemandOutcomes.NotServed,
                _ => OnDemandOutcomes.Refused,
            };
        }
        catch (TimeoutException)
        {
            // The order goes on.
        }
        catch (OperationCanceledException)
        {
            outcome = OnDemandOutcomes.Left;
        }

        metrics.OnDemandWaited(outcome, started);
        return result != OnDemandResult.Refused;
    }

    private Flight? Join(string name, IPAddress? client, OnDemandSpecification demand)
    {
        while (true)
        {
            if (_flights.TryGetValue(name, out var known))
            {
                return known;
            }

            // Attempts whose connections are gone count, too, until the permission has responded.
            if (Volatile.Read(ref _asking) >= demand.MaxWaiting)
            {
                return null;
            }

            var flight = new Flight();
            if (_flights.TryAdd(name, flight))
            {
                Interlocked.Increment(ref _asking);
                _ = Task.Run(() => FlyAsync(name, client, flight), CancellationToken.None);
                return flight;
            }
        }
    }

    private async Task FlyAsync(string name, IPAddress? client, Flight flight)
    {
        var isAsking = 1;
        void Asked() => Interlocked.Add(ref _asking, -Interlocked.Exchange(ref isAsking, 0));
        var result = OnDemandResult.Refused;
        try
        {
            result = await issuance.ObtainAsync(name, client, Asked, _stopping.Token);
        }
        catch (Exception exception)
        {
            if (!_stopping.IsCancellationRequested)
            {
                denied.Failed(name, exception);
            }
        }
        finally
        {
            Asked();
            _flights.TryRemove(new(name, flight));
            flight.Land(result);
        }
    }

    private bool TryEnter(int most, long length)
    {
        if (Interlocked.Increment(ref _waiting) > most)
        {
            Interlocked.Decrement(ref _waiting);
            return false;
        }

        if (Interlocked.Add(ref _bytes, length) > Math.Max(most * BytesPerConnection, LargestHello))
        {
            Interlocked.Add(ref _bytes, -length);
            Interlocked.Decrement(ref _waiting);
            return false;
        }

        return true;
    }

    private sealed class Flight
    {
        private readonly TaskCompletionSource<OnDemandResult> _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<OnDemandResult> Landed => _landed.Task;

        public void Land(OnDemandResult result) => _landed.TrySetResult(result);
    }
}
