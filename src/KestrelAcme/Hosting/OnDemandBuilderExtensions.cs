using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Certificates;
using KestrelAcme.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extension methods of <see cref="IAcmeHttpsBuilder"/> for certificates on demand.</summary>
public static class OnDemandBuilderExtensions
{
    /// <summary>
    /// Obtains certificates for names that nobody configured, while their first visitor waits, if a permission allows that. If called more
    /// than once, the last call wins.
    /// </summary>
    /// <typeparam name="TPermission">The permission: a singleton, whose constructor can have services as parameters.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options in code. Values of the configuration section <c>AcmeHttps:OnDemand</c> come first.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddOnDemand<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TPermission>(
        this IAcmeHttpsBuilder builder, Action<OnDemandOptions>? configure = null)
        where TPermission : class, IIssuancePermission
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Replace(ServiceDescriptor.Singleton<IIssuancePermission, TPermission>());
        return builder.Configure(configure);
    }

    /// <summary>
    /// Obtains certificates for names that nobody configured, while their first visitor waits, if a delegate allows that. If called more
    /// than once, the last call wins.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="ask">Decides about a name, as <see cref="IIssuancePermission.AskAsync"/> does.</param>
    /// <param name="configure">Sets options in code. Values of the configuration section <c>AcmeHttps:OnDemand</c> come first.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddOnDemand(
        this IAcmeHttpsBuilder builder,
        Func<string, IssuanceContext, CancellationToken, ValueTask<IssuanceDecision>> ask,
        Action<OnDemandOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(ask);
        builder.Services.Replace(ServiceDescriptor.Singleton<IIssuancePermission>(new DelegatePermission(ask)));
        return builder.Configure(configure);
    }

    private static IAcmeHttpsBuilder Configure(this IAcmeHttpsBuilder builder, Action<OnDemandOptions>? configure)
    {
        builder.Services.Configure<AcmeHttpsOptions>(options =>
        {
            options.OnDemand ??= new OnDemandOptions();
            configure?.Invoke(options.OnDemand);
        });
        return builder;
    }

    private sealed class DelegatePermission(
        Func<string, IssuanceContext, CancellationToken, ValueTask<IssuanceDecision>> ask) : IIssuancePermission
    {
        public ValueTask<IssuanceDecision> AskAsync(string domainName, IssuanceContext context, CancellationToken cancellationToken)
            => ask(domainName, context, cancellationToken);
    }
}
