// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The result of <c>AddAcmeHttps</c>, to add storages, challenge handlers, DNS providers and event handlers.</summary>
public interface IAcmeHttpsBuilder
{
    /// <summary>The app's services.</summary>
    IServiceCollection Services { get; }
}

/// <summary>The builder that <c>AddAcmeHttps</c> returns.</summary>
internal sealed record AcmeHttpsBuilder(IServiceCollection Services) : IAcmeHttpsBuilder;
