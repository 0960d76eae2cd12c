using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using Microsoft.Extensions.DependencyInjection.Extensions;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the challenge type <c>dns-persist-01</c>, which follows a draft that may still change.</summary>
public static class DnsPersistBuilderExtensions
{
    /// <summary>
    /// Allows <c>dns-persist-01</c> in <see cref="AcmeHttpsOptions.ChallengeTypes"/> (draft-ietf-acme-dns-persist-02, and -01 if the CA's
    /// directory has no <c>accountHashPrefix</c>). You prove control of a name with a permanent TXT record,
    /// <c>_validation-persist.NAME</c>, which you create once. KestrelAcme queries it before each order. While it is missing, the
    /// certificate's status shows it in <see cref="KestrelAcme.Certificates.CertificateFailure.RequiredRecords"/>, and the log shows it
    /// once. Later versions of the draft may require another record.
    /// </summary>
    [Experimental("KESTRELACME001")]
    public static IAcmeHttpsBuilder AddDnsPersist01(this IAcmeHttpsBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, DnsPersist01ChallengeHandler>());
        builder.Services.AddSingleton(new ExperimentalChallengeType(DnsPersist01ChallengeHandler.Type));
        return builder;
    }
}
