using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Storage;
using KestrelAcme.Tls;

namespace KestrelAcme.Simulation.Tests;

/// <summary>What hangs, once it is set, and how often something fell into it.</summary>
internal sealed class Trap
{
    private int _fallen;

    public bool IsSet { get; set; }

    /// <summary>How long the preparation of a hostile name's challenge takes, until it fails.</summary>
    public TimeSpan? ChallengeHangs { get; init; }

    public ChallengeFault Fault { get; init; }

    /// <summary>Whether the hostile names' certificates have expired when the others are due.</summary>
    public bool Lapsed { get; init; } = true;

    /// <summary>Whether the store never answers a question about a hostile name.</summary>
    public bool StoreHangs { get; init; }

    /// <summary>How long a request to the first of two authorities takes, until it fails; zero, when it answers.</summary>
    public TimeSpan? AuthorityHangs { get; init; }

    public int Fallen => _fallen;

    public static bool IsHostile(string text) => text.Contains("hostile", StringComparison.Ordinal);

    public void Fall() => Interlocked.Increment(ref _fallen);
}

/// <summary>The model of an authority, with the trap in front of it.</summary>
internal sealed class TrappedAuthority(SimulatedAuthority model, Trap trap) : ISimulatedAuthority
{
    public SimulatedClock Clock => model.Clock;

    public Weather Weather => model.Weather;

    public IEnumerable<SimulatedCertificate> Current => model.Current;

    public IAuthorityClientFactory CreateClients(Lifeline life) => new TrappedClients(model.CreateClients(life), trap, Clock.Machine);

    public HttpMessageHandler CreateListClient(Lifeline life) => model.CreateListClient(life);

    public IChallengeHandler CreateChallengeHandler() => new TrappedHandler(model.CreateChallengeHandler(), trap, Clock.Machine);

    public Task WhenIdleAsync() => model.WhenIdleAsync();

    public void Follow() => model.Follow();

    public void Advise(SimulatedCertificate certificate, DateTimeOffset start, DateTimeOffset end) => model.Advise(certificate, start, end);

    public Task RevokeAsync(IReadOnlyList<SimulatedCertificate> certificates, IEnumerable<CertificateMaterial> served) => model.RevokeAsync(certificates, served);
}

/// <summary>Prepares challenges, but those of hostile names.</summary>
internal sealed class TrappedHandler(IChallengeHandler handler, Trap trap, TimeProvider time) : IChallengeHandler
{
    public string ChallengeType => handler.ChallengeType;

    public bool CanHandle(string identifierType, string value, bool wildcard) => handler.CanHandle(identifierType, value, wildcard);

    public async Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (trap is { IsSet: true, ChallengeHangs: { } hangs } && Trap.IsHostile(context.Identifier))
        {
            trap.Fall();
            await Task.Delay(hangs, time, cancellationToken);
            throw new ChallengeException($"{context.Identifier}: its name servers do not answer.") { Fault = trap.Fault };
        }

        await handler.PrepareAsync(context, cancellationToken);
    }

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => handler.WaitUntilVisibleAsync(context, cancellationToken);

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => handler.CleanUpAsync(context, cancellationToken);
}

/// <summary>Makes clients of which the first authority's hang.</summary>
internal sealed class TrappedClients(IAuthorityClientFactory factory, Trap trap, TimeProvider time) : IAuthorityClientFactory
{
    public IAuthorityClient Create(AuthoritySpecification specification)
        => trap.AuthorityHangs > TimeSpan.Zero && specification.DirectoryUrl == SimulatedAuthority.DirectoryUrl ? new Client(factory.Create(specification), trap, time) : factory.Create(specification);

    private sealed class Client(IAuthorityClient client, Trap trap, TimeProvider time) : IAuthorityClient
    {
        public AuthoritySpecification Specification => client.Specification;

        public TimeSpan? ClockSkew => client.ClockSkew;

        public async Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken)
        {
            await PassAsync(cancellationToken);
            return await client.GetDirectoryAsync(cancellationToken);
        }

        public Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken) => client.CreateAccountAsync(key, request, cancellationToken);

        public Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken) => client.FindAccountAsync(key, cancellationToken);

        public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl) => client.OpenAccount(key, accountUrl);

        public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken) => client.GetRenewalInfoAsync(id, cancellationToken);

        public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason, CancellationToken cancellationToken)
            => client.RevokeCertificateAsync(certificate, certificateKey, reason, cancellationToken);

        public void Dispose() => client.Dispose();

        private async Task PassAsync(CancellationToken cancellationToken)
        {
            if (trap.IsSet)
            {
                trap.Fall();
                await Task.Delay(trap.AuthorityHangs!.Value, time, cancellationToken);
                throw new AcmeUnreachableException("The first of two does not answer.");
            }
        }
    }
}

/// <summary>A store that never answers a question about a hostile name.</summary>
internal sealed class TrappedStorage(IAcmeStorage store, Trap trap) : IAcmeStorage
{
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        await PassAsync(key, cancellationToken);
        return await store.ReadAsync(key, cancellationToken);
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var key in keys)
        {
            if (await ReadAsync(key, cancellationToken) is { } value)
            {
                yield return new StorageEntry(key, value);
            }
        }
    }

    public async ValueTask WriteAsync(string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await PassAsync(key, cancellationToken);
        await store.WriteAsync(key, value, lease, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default) => store.DeleteAsync(key, lease, cancellationToken);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default) => store.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default) => store.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default) => store.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageReport> CheckAsync(CancellationToken cancellationToken = default) => store.CheckAsync(cancellationToken);

    private async Task PassAsync(string key, CancellationToken cancellationToken)
    {
        if (trap is { IsSet: true, StoreHangs: true } && Trap.IsHostile(key))
        {
            trap.Fall();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }
}
