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
    // One name, or one network, must not take all places.
    private const int Shares = 8;
    private const int SmallestShare = 16;

    private readonly ConcurrentDictionary<string, Flight> _flights = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();

    // Names that may have a certificate already do not wait behind those that strangers make up.
    private readonly WaitingRoom _known = new();
    private readonly WaitingRoom _new = new();

    // Attempts whose connections are gone count, too, until the permission has responded.
    private readonly WaitingRoom _asking = new();

    /// <summary>The number of connections that wait now.</summary>
    public int Waiting => _known.Count + _new.Count;

    /// <summary>The number of attempts under way.</summary>
    public int Flights => _flights.Count;

    /// <inheritdoc/>
    public bool AllowsAddresses => configuration.Current.OnDemand is { AllowIpAddresses: true };

    /// <inheritdoc/>
    public bool Concerns(string name, string? managed) => !certificates.IsConfigured(managed ?? name);

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

        var (subject, network) = (names.Find(name), NewNamePolicy.Network(client));
        var isKnown = subject is not null && certificates.MayHaveCertificate(subject);
        var room = isKnown ? _known : _new;
        if (!room.TryEnter(network, length, demand.MaxWaiting, ShareOf(demand.MaxWaiting, demand)))
        {
            denied.Refused(name, "too many connections wait");
            metrics.OnDemandAsked(OnDemandOutcomes.Full);
            return false;
        }

        try
        {
            return await WaitAsync(name, client, isKnown, demand, gone);
        }
        finally
        {
            room.Leave(network, length);
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

    private async Task<bool> WaitAsync(
        string name, IPAddress? client, bool isKnown, OnDemandSpecification demand, CancellationToken gone)
    {
        if (Join(name, client, isKnown, demand) is not { } flight)
        {
            denied.Refused(name, "too many connections wait for this name, or too many names are asked about");
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
        finally
        {
            flight.Leave();
        }

        metrics.OnDemandWaited(outcome, started);
        return result != OnDemandResult.Refused;
    }

    private Flight? Join(string name, IPAddress? client, bool isKnown, OnDemandSpecification demand)
    {
        var most = Math.Max(demand.MaxWaiting / Shares, SmallestShare);
        while (true)
        {
            if (_flights.TryGetValue(name, out var known))
            {
                return known.TryBoard(most) ? known : null;
            }

            var network = NewNamePolicy.Network(client);
            if (!isKnown && !_asking.TryEnter(network, 0, demand.MaxWaiting, ShareOf(demand.MaxWaiting, demand)))
            {
                return null;
            }

            var flight = new Flight();
            flight.TryBoard(most);
            if (_flights.TryAdd(name, flight))
            {
                Action? asked = isKnown ? null : () => _asking.Leave(network, 0);
                _ = Task.Run(() => FlyAsync(name, client, asked, flight), CancellationToken.None);
                return flight;
            }

            if (!isKnown)
            {
                _asking.Leave(network, 0);
            }
        }
    }

    private async Task FlyAsync(string name, IPAddress? client, Action? asked, Flight flight)
    {
        void Asked() => Interlocked.Exchange(ref asked, null)?.Invoke();
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

    // The operator who raised the limit for new names of a network has its clients come through a proxy.
    private static int ShareOf(int most, OnDemandSpecification demand)
        => Math.Max(Math.Max(most / Shares, SmallestShare), demand.PerNetwork);

    private sealed class Flight
    {
        private readonly TaskCompletionSource<OnDemandResult> _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _waiting;

        public Task<OnDemandResult> Landed => _landed.Task;

        public bool TryBoard(int most)
        {
            if (Interlocked.Increment(ref _waiting) <= most)
            {
                return true;
            }

            Leave();
            return false;
        }

        public void Leave() => Interlocked.Decrement(ref _waiting);

        public void Land(OnDemandResult result) => _landed.TrySetResult(result);
    }
}
