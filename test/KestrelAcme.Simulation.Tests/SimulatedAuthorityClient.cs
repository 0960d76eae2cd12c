using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// A process's client of the model: keeps the directory for an hour, and the clock of the last answer, as the real one does.
/// </summary>
internal sealed class SimulatedAuthorityClient(
    AuthoritySpecification specification, SimulatedAuthority authority, Lifeline life) : IAuthorityClient
{
    private static readonly TimeSpan DirectoryMaxAge = TimeSpan.FromHours(1);
    private readonly AcmeDirectory _directory = new()
    {
        Url = specification.DirectoryUrl,
        NewNonce = new Uri(specification.DirectoryUrl, "/new-nonce"),
        NewAccount = new Uri(specification.DirectoryUrl, "/new-account"),
        NewOrder = new Uri(specification.DirectoryUrl, "/new-order"),
        RenewalInfo = new Uri(specification.DirectoryUrl, "/renewal-info"),
    };

    private long? _read;
    private (DateTimeOffset Date, long At)? _answered;

    public AuthoritySpecification Specification => specification;

    public TimeSpan? ClockSkew => _answered is { } last ? Machine.GetUtcNow() - (last.Date + Machine.GetElapsedTime(last.At)) : null;

    private TimeProvider Machine => authority.Clock.Machine;

    public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken)
    {
        life.Step();
        if (_read is not { } at || Machine.GetElapsedTime(at) >= DirectoryMaxAge)
        {
            Answer();
            _read = Machine.GetTimestamp();
        }

        return Task.FromResult(_directory);
    }

    public Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken)
    {
        _read = null;
        return GetDirectoryAsync(cancellationToken);
    }

    public Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
    {
        Answer();
        return Task.FromResult<IAuthorityAccount>(new SimulatedAuthorityAccount(authority.Register(key.Thumbprint), key, authority, this));
    }

    public Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken)
    {
        Answer();
        return authority.FindAccount(key.Thumbprint) is { } url
            ? Task.FromResult<IAuthorityAccount>(new SimulatedAuthorityAccount(url, key, authority, this))
            : throw new AcmeException("The model does not know the key.")
            {
                StatusCode = System.Net.HttpStatusCode.BadRequest,
                Problem = new AcmeProblem { Type = AcmeProblemTypes.AccountDoesNotExist },
            };
    }

    public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl) => new SimulatedAuthorityAccount(accountUrl, key, authority, this);

    public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken)
    {
        Answer();
        var certificate = authority.FindCertificate(id.Value);
        return Task.FromResult(
            new RenewalInfo
            {
                WindowStart = certificate.Window.Start,
                WindowEnd = certificate.Window.End,
                RetryAfter = SimulatedCertificate.AskAgainAfter,
            });
    }

    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason, CancellationToken cancellationToken)
        => throw new NotSupportedException("The model revokes by itself.");

    /// <summary>A request went out and came back, or did not.</summary>
    public void Answer(bool newOrder = false)
    {
        if (newOrder)
        {
            life.OrderBegins();
        }

        life.Step();
        authority.ThrowIfInTrouble(newOrder);
        _answered = (authority.Clock.Now, Machine.GetTimestamp());
    }

    public void Dispose()
    {
    }
}
