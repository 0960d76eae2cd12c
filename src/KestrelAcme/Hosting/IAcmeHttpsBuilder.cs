// Where ASP.NET Core apps look for the verbs of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>What <c>AddAcmeHttps</c> returns: the place to plug in stores, challenge handlers and listeners.</summary>
public interface IAcmeHttpsBuilder
{
    /// <summary>The application's services.</summary>
    IServiceCollection Services { get; }
}
