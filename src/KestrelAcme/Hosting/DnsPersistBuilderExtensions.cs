using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

// Where ASP.NET Core apps look for the verbs of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what follows a draft that still moves.</summary>
public static class DnsPersistBuilderExtensions
{
    /// <summary>
    /// Allows <c>dns-persist-01</c> in <see cref="AcmeHttpsOptions.ChallengeTypes"/> (draft-ietf-acme-dns-persist-02, and -01 if the
    /// directory of the authority has no <c>accountHashPrefix</c>): a name is proved by a TXT record that a person creates once and that
    /// stays,
    /// <c>_validation-persist.NAME</c>. It is looked for before each order; while it is missing, the certificate's status shows it in <see cref="KestrelAcme.Certificates.CertificateFailure.RequiredRecords"/>,
    /// and the log once. Later versions of the draft write the record otherwise: a later version of this library may ask for another one.
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
